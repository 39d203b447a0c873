"""What `vis eval` does: every number of a results file as text, and as files that a second call can go on with."""

import hashlib
import json
import logging
from collections.abc import Sequence
from pathlib import Path

from detectron2.data import DatasetCatalog

from vis_projects.data import register_ytvis
from vis_projects.engine.config_file import load_config
from vis_projects.engine.dataset_facts import file_sha256
from vis_projects.engine.errors import ConfigError, DataError, last_line
from vis_projects.engine.evaluation_loop import inference_folder
from vis_projects.engine.oracles import ORACLES
from vis_projects.engine.progress import Progress
from vis_projects.engine.run_setup import choose_device, derive_from_data
from vis_projects.engine.trainer import VISTrainer
from vis_projects.evaluation import EvaluationInputError, FullReport, evaluate_in_full, evaluate_json
from vis_projects.evaluation.facts_cache import FactsCache
from vis_projects.evaluation.identity_oracle import identity_oracle
from vis_projects.visualization.bar_chart import bar_chart

logger = logging.getLogger(__name__)

REPORT_TEXT, REPORT_JSON, CHART, CACHE = "report.txt", "report.json", "errors.png", "cache"


def evaluate_results(
    results: str | None,
    gt: str,
    *,
    iou_type: str = "segm",
    track_score: float = 0.3,
    ap_only: bool = False,
    oracle: str | None = None,
    config_file: str | None = None,
    opts: Sequence[str] = (),
    image_root: str | None = None,
    json_file: str | None = None,
    out: str | None = None,
) -> str:
    """Scores a results file, or a model with an oracle.

    Args:
        results: results list of any program; None with `oracle` and `config_file`: what the model finds with it.
        gt: json with annotations.
        iou_type: "segm" or "bbox".
        track_score: of the tracks that take part in HOTA, IDF1, switches and fragmentations.
        ap_only: the twelve numbers and those of each class alone.
        oracle: "identity" or "image", see `OracleModel`; "identity" also works on a results file.
        config_file, opts: of the model; weights in opts.
        image_root: folder that file_names are relative to; None takes JPEGImages beside the json.
        json_file: gets the numbers.
        out: folder for report.txt, report.json, errors.png, the results of a model, and what an interrupted call has
            finished.

    Returns:
        the tables and the paths written.

    Raises:
        UserError: a file is missing or broken, or the arguments do not fit each other.
    """
    for path in (results, gt):
        if path is not None and not Path(path).is_file():
            raise DataError(f"{path}: no such file")
    _check(results, oracle, config_file, out)
    if results is None:
        results = _run_model(config_file, opts, gt, image_root, oracle, out)
        oracle = None  # it is in the results already
    try:
        report = _report(results, gt, iou_type, track_score, ap_only, oracle, out)
    except (EvaluationInputError, OSError) as error:
        raise DataError(last_line(error)) from error
    return "\n".join([report[0], *_write(*report, json_file, out)])


def _check(results: str | None, oracle: str | None, config_file: str | None, out: str | None) -> None:
    if oracle is not None and oracle not in ORACLES:
        raise ConfigError(f"--oracle {oracle!r}: choose one of {', '.join(ORACLES)}")
    if results is None and (oracle is None or config_file is None or out is None):
        raise ConfigError(
            "vis eval: name a results file and the ground truth; or, to run a model with an oracle, the ground truth, "
            "--oracle, --config-file and --out"
        )
    if results is not None and config_file is not None:
        raise ConfigError(f"vis eval: {results} is scored as it is; leave it out to run the model of --config-file")
    if results is not None and oracle == "image":
        raise ConfigError(
            "--oracle image runs the association of a model on true masks: leave the results file out and name the "
            "model with --config-file and --opts MODEL.WEIGHTS"
        )


def _report(
    results: str, gt: str, iou_type: str, track_score: float, ap_only: bool, oracle: str | None, out: str | None
) -> tuple[str, dict, FullReport | None]:
    """(text, plain values, the full report if there is one)."""
    found = identity_oracle(results, gt, iou_type) if oracle else results
    if ap_only:
        outcome = evaluate_json(found, gt, iou_type=iou_type)
        return outcome.table(), {"stats": outcome.stats, "per_class": outcome.per_class}, None
    cache = None
    if out is not None:
        source = {"results": file_sha256(results), "ground truth": file_sha256(gt), "iou_type": iou_type,
                  "track_score": track_score, "oracle": oracle}
        cache = FactsCache(Path(out) / CACHE, source)
    progress = Progress(None, title="vis eval", unit="video")

    def advance(total: int, frames: int) -> None:
        progress.total = total
        for _ in range(frames):
            progress.advance(1 / frames)

    try:
        report = evaluate_in_full(found, gt, iou_type=iou_type, track_score=track_score, cache=cache, on_video=advance)
    except KeyboardInterrupt:
        if out is not None:
            logger.warning(f"interrupted; the same command goes on behind the videos that are in {Path(out) / CACHE}")
        raise
    finally:
        progress.close()
        if cache is not None:
            cache.close()
    return report.text(), report.to_json(), report


def _write(text: str, values: dict, report: FullReport | None, json_file: str | None, out: str | None) -> list[str]:
    """Writes what was asked for; returns the paths."""
    written = {}
    if out is not None:
        written[Path(out) / REPORT_TEXT] = text + "\n"
    for path in ([json_file] if json_file else []) + ([Path(out) / REPORT_JSON] if out is not None else []):
        written[Path(path)] = json.dumps(values, indent=1) + "\n"
    try:
        for path, content in written.items():
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(content, encoding="utf-8")
        paths = list(written)
        if out is not None and report is not None:
            paths.append(_draw(report, Path(out) / CHART))
    except OSError as error:
        raise DataError(f"cannot write the report: {last_line(error)}") from error
    return [str(path) for path in paths]


def _draw(report: FullReport, path: Path) -> Path:
    import cv2

    rows = {kind: [100 * gain["AP"], 100 * gain["AP50"]] for kind, gain in report.errors.gains.items()}
    ap = report.errors.ap
    title = f"AP {100 * ap['AP']:.1f}, AP50 {100 * ap['AP50']:.1f}: what is gained without the errors of one kind"
    if not cv2.imwrite(str(path), bar_chart(title, ("AP", "AP50"), rows)[..., ::-1]):
        raise DataError(f"cannot write {path}")
    return path


def _run_model(
    config_file: str, opts: Sequence[str], gt: str, image_root: str | None, oracle: str, out: str
) -> str:
    """Path of the results of a model with an oracle on the videos of a json; finished videos are kept."""
    cfg = load_config(config_file, opts)
    if cfg.DATASETS.CLASS_SUBSET:
        raise ConfigError("vis eval scores all classes of the ground truth; leave DATASETS.CLASS_SUBSET empty")
    root = image_root or str(Path(gt).parent / "JPEGImages")
    name = f"eval_{hashlib.sha256(f'{Path(gt).resolve()} {root}'.encode()).hexdigest()[:12]}"
    if name not in DatasetCatalog.list():
        register_ytvis(name, gt, root)
    cfg.DATASETS.TEST, cfg.OUTPUT_DIR, cfg.TEST.VIDEO.ORACLE = (name,), out, oracle
    choose_device(cfg)
    derive_from_data(cfg, train=False)
    cfg.freeze()
    VISTrainer.evaluate(cfg, resume=True)
    return str(inference_folder(cfg, name) / "results.json")

