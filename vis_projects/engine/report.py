"""Collects what a run left on disk into an HTML report and overlay videos: what `vis report` does."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from detectron2.config import CfgNode
from detectron2.data import DatasetCatalog, MetadataCatalog
from detectron2.data.detection_utils import read_image

from vis_projects.data import register_class_subset
from vis_projects.engine.config_file import load_config
from vis_projects.engine.dataset_facts import read_facts
from vis_projects.engine.errors import DataError
from vis_projects.engine.frame_writer import FrameWriter
from vis_projects.evaluation import EvalResult, EvaluationInputError, NoGroundTruthError, evaluate_json
from vis_projects.structures import VideoResults
from vis_projects.visualization import VideoVisualizer, contact_sheet, truth_results, write_report

GAP_PX = 4  # white strip between ground truth and prediction
OVERLAY_FPS = 6.0  # data sets are sampled at 5 to 6 frames a second


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
        write_overlay(path, record["file_names"], truth, found, class_names)
        written.append(path)
        caption = f"video {record['video_id']}: ground truth left, prediction right"
        sheets[caption] = contact_sheet(_Frames(record["file_names"]), truth, found, class_names=class_names)
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


def write_overlay(
    path: Path, file_names: Sequence[str], truth: VideoResults, found: VideoResults, class_names: Sequence[str]
) -> None:
    """Writes a video with ground truth on the left and prediction on the right."""
    drawer = VideoVisualizer(class_names)
    with FrameWriter(path, fps=OVERLAY_FPS) as writer:
        for t, image in enumerate(_Frames(file_names)):
            left, right = (drawer.draw_results(image, side.frame(t)) for side in (truth, found))
            strip = np.full((image.shape[0], GAP_PX, 3), 255, np.uint8)
            writer.write(_even(np.concatenate([left, strip, right], axis=1))[..., ::-1])


def _even(image: np.ndarray) -> np.ndarray:
    # most video codecs want even sides
    return np.pad(image, ((0, image.shape[0] % 2), (0, image.shape[1] % 2), (0, 0)))


class _Frames(Sequence):
    """The frames of a video as RGB arrays, decoded when asked for."""

    def __init__(self, file_names: Sequence[str]) -> None:
        self._file_names = file_names

    def __len__(self) -> int:
        return len(self._file_names)

    def __getitem__(self, t: int) -> np.ndarray:
        return np.ascontiguousarray(read_image(self._file_names[t], format="RGB"))


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
