"""Collects what a run left on disk into an HTML report and overlay videos: what `vis report` does."""

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from detectron2.config import CfgNode
from detectron2.data import DatasetCatalog, MetadataCatalog

from vis_projects.data import register_class_subset
from vis_projects.engine.config_file import load_config
from vis_projects.engine.dataset_facts import read_facts
from vis_projects.engine.errors import DataError
from vis_projects.engine.overlay import FrameFiles, Side, write_overlay
from vis_projects.evaluation import EvalResult, EvaluationInputError, NoGroundTruthError, evaluate_json
from vis_projects.structures import VideoResults
from vis_projects.visualization import contact_sheet, truth_results, write_report


def write_run_report(
    output_dir: str,
    *,
    config_file: str | None = None,
    results: str | None = None,
    metrics: str | None = None,
    out: str | None = None,
    videos: int = 3,
    score_threshold: float = 0.3,
) -> str:
    """Writes report.html, ap_table.txt and overlay/<video>.mp4 (ground truth left, prediction right).

    Args:
        output_dir: OUTPUT_DIR of a run that has been evaluated.
        config_file: yaml; None takes the run's config.yaml.
        results: of the first set of DATASETS.TEST; None takes the run's.
        metrics: metrics.json of the training; None takes the run's, which may be missing.
        out: folder; None takes `output_dir`/report.
        videos: how many videos to draw, evenly spread over the set.
        score_threshold: tracks below it are not drawn.

    Returns:
        the AP table and the paths written, as text.

    Raises:
        UserError: no such run, no results, or a missing data set.
    """
    folder = Path(output_dir)
    cfg = load_config(config_file or str(_existing(folder / "config.yaml", "give --output-dir of a run")))
    dataset = _dataset(cfg)
    results_path = _existing(Path(results or folder / "inference" / dataset / "results.json"),
                             "evaluate first: train_net.py --eval-only ... OUTPUT_DIR " + output_dir)
    metrics_path = Path(metrics or folder / "metrics.json")
    target = Path(out or folder / "report")
    target.mkdir(parents=True, exist_ok=True)
    evaluated = _evaluate(dataset, results_path)
    table = evaluated.table() if evaluated is not None else f"{dataset} has no annotations: no AP"
    (target / "ap_table.txt").write_text(table + "\n", encoding="utf-8")
    class_names = read_facts(dataset).class_names
    written, sheets = [], {}
    for record, truth, found in drawn_videos(dataset, results_path, videos, score_threshold):
        path = target / "overlay" / (str(record["video_id"]).replace("/", "_") + ".mp4")
        frames = FrameFiles(record["file_names"])
        written.append(write_overlay(path, frames, [Side(truth), Side(found)], class_names))
        caption = f"video {record['video_id']}: ground truth left, prediction right"
        sheets[caption] = contact_sheet(frames, truth, found, class_names=class_names)
    write_report(
        target / "report.html", title=f"{cfg.MODEL.META_ARCHITECTURE} on {dataset}",
        metrics_json=metrics_path if metrics_path.is_file() else None, eval_result=evaluated, contact_sheets=sheets,
        class_names=class_names,
    )
    return "\n".join([table, *map(str, [target / "report.html", *written])])


def drawn_videos(
    dataset: str, results_path: Path, count: int, score_threshold: float
) -> Iterator[tuple[dict, VideoResults, VideoResults]]:
    """(record, ground truth, prediction) of `count` videos, evenly spread over the set."""
    records = DatasetCatalog.get(dataset)
    contiguous = MetadataCatalog.get(dataset).thing_dataset_id_to_contiguous_id
    predicted = json.loads(results_path.read_text(encoding="utf-8"))
    count = min(count, len(records))
    for record in (records[k * len(records) // count] for k in range(count)):
        found = VideoResults.from_records(
            [r for r in predicted if r["category_id"] in contiguous], video_id=record["video_id"],
            height=record["height"], width=record["width"], length=record["length"], contiguous=contiguous,
        )
        confident = [track for track in found.tracks if track.score >= score_threshold]
        yield record, truth_results(record), replace(found, tracks=confident)


def _evaluate(dataset: str, results_path: Path) -> EvalResult | None:
    metadata = MetadataCatalog.get(dataset)
    try:
        category_ids = list(metadata.thing_dataset_id_to_contiguous_id)
        return evaluate_json(results_path, metadata.json_file, category_ids=category_ids)
    except NoGroundTruthError:
        return None
    except EvaluationInputError as error:
        raise DataError(str(error)) from error


def _dataset(cfg: CfgNode) -> str:
    if not cfg.DATASETS.TEST:
        raise DataError("the run's DATASETS.TEST is empty: there is nothing to report on")
    name = cfg.DATASETS.TEST[0]
    read_facts(name)
    return register_class_subset(name, tuple(cfg.DATASETS.CLASS_SUBSET)) if cfg.DATASETS.CLASS_SUBSET else name


def _existing(path: Path, remedy: str) -> Path:
    if not path.is_file():
        raise DataError(f"{path}: no such file; {remedy}")
    return path
