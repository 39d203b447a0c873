"""`evaluate_json`: AP and AR of a results file, after the rules of the official YouTube-VIS evaluator."""

import logging
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

import numpy as np

from vis_projects.evaluation.accumulation import accumulate
from vis_projects.evaluation.engine import evaluate_native, has_engine
from vis_projects.evaluation.ground_truth import load_ground_truth
from vis_projects.evaluation.matching import match_cell
from vis_projects.evaluation.params import EvalParams
from vis_projects.evaluation.predictions import load_predictions
from vis_projects.evaluation.summary import EvalResult, summarize
from vis_projects.evaluation.track_iou import video_ious
from vis_projects.evaluation.track_tables import NotPlainError

logger = logging.getLogger(__name__)

IOU_TYPES = ("segm", "bbox")
ENGINES = ("auto", "native", "python")


def evaluate_json(
    results: str | Path | Sequence[Mapping],
    gt: str | Path | Mapping,
    *,
    iou_type: str = "segm",
    category_ids: Collection[int] | None = None,
    params: EvalParams | None = None,
    official_quirks: bool = False,
    engine: str = "auto",
) -> EvalResult:
    """Scores tracks against annotations; neither input is changed.

    Every (video, category) pair is a world of its own: its 100 best detections are matched to its annotations by
    track IoU. With `iou_type="segm"` the numbers are those of the official evaluator. It has no working box mode;
    here "bbox" means the same with boxes in place of masks: `bboxes` of both sides, or the boxes around the masks
    where an entry has none, and areas of boxes throughout.

    Args:
        results: path or list of `{"video_id", "category_id", "score", "segmentations"[T]}`. An empty list scores 0.
        gt: path or dict in YouTube-VIS form with annotations.
        iou_type: "segm" or "bbox".
        category_ids: json ids to evaluate; None: all. Detections of other categories are dropped.
        params: thresholds, ranges and cuts; None: those of YouTube-VIS.
        official_quirks: also follow the official evaluator where an annotation has id 0: a detection that matches it
            is counted as wrong there, as right here.
        engine: "python" runs the Python path; "auto" the native engine for masks where it is compiled and the input
            is of the plain form (see `track_tables`), else the Python path, with equal numbers; "native" insists on
            the engine.

    Raises:
        NoGroundTruthError: `gt` has no annotations.
        EvaluationInputError: a file is missing, or a field is broken; the message names entry, field and remedy.
        RuntimeError: engine "native" cannot do this.
    """
    for name, value, choices in (("iou_type", iou_type, IOU_TYPES), ("engine", engine, ENGINES)):
        if value not in choices:
            raise ValueError(f"{name} is {value!r}; choose one of {choices}")
    params = params or EvalParams()
    if engine != "python":
        try:
            if iou_type != "segm" or not has_engine():
                raise NotPlainError("boxes" if iou_type != "segm" else "the native engine is not compiled")
            return evaluate_native(results, gt, category_ids, params, official_quirks)
        except NotPlainError as error:
            if engine == "native":
                raise RuntimeError(f"engine='native' cannot evaluate this ({error}); engine='auto' can") from error
            logger.debug("evaluating on the Python path: %s", error)
    return _evaluate_in_python(results, gt, iou_type, category_ids, params, official_quirks)


def _evaluate_in_python(
    results: str | Path | Sequence[Mapping],
    gt: str | Path | Mapping,
    iou_type: str,
    category_ids: Collection[int] | None,
    params: EvalParams,
    official_quirks: bool,
) -> EvalResult:
    """The readable path: every notation, every check; the oracle of the engine."""
    truth = load_ground_truth(gt, iou_type, category_ids)
    found = load_predictions(results, truth, params.max_detections[-1], iou_type)
    cells: dict[int, list] = {category: [] for category in truth.categories}
    for video, category in ((v, c) for c in truth.categories for v in truth.videos):
        detections, truths = found.get((video, category), []), truth.cells.get((video, category), [])
        if detections or truths:
            ious = video_ious(detections, truths, iou_type)
            cells[category].append(match_cell(detections, truths, ious, params, official_quirks=official_quirks))
    num_truth = [int(np.sum([cell.num_truth[0] for cell in cells[category]])) for category in truth.categories]
    return summarize(*accumulate(list(cells.values()), params), truth.categories, num_truth, params)
