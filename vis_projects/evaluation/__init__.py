"""Average precision and recall of tracks after the YouTube-VIS rules, and the Detectron2 evaluator around them."""

from vis_projects.evaluation.coco_images import COCOImageEvaluator
from vis_projects.evaluation.errors import EvaluationInputError, NoGroundTruthError
from vis_projects.evaluation.evaluate import evaluate_json
from vis_projects.evaluation.frame_marks import frame_marks
from vis_projects.evaluation.frame_recall import FrameRecall, frame_recall
from vis_projects.evaluation.full_report import FullReport, evaluate_in_full
from vis_projects.evaluation.params import EvalParams
from vis_projects.evaluation.results_check import ResultFault, check_results
from vis_projects.evaluation.submission import write_archive
from vis_projects.evaluation.summary import EvalResult
from vis_projects.evaluation.ytvis_evaluator import YTVISEvaluator

__all__ = [
    "COCOImageEvaluator", "EvalParams", "EvalResult", "EvaluationInputError", "FrameRecall", "FullReport",
    "NoGroundTruthError", "ResultFault", "YTVISEvaluator", "check_results", "evaluate_in_full", "evaluate_json",
    "frame_marks", "frame_recall", "write_archive",
]
