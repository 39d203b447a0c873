"""Evaluator protocol, the evaluation loop, and printing and checking of results."""

from detectron2._impl.placeholders import placeholder_getattr
from detectron2.evaluation.evaluator import (
    DatasetEvaluator,
    DatasetEvaluators,
    inference_context,
    inference_on_dataset,
)
from detectron2.evaluation.testing import print_csv_format, verify_results

__getattr__ = placeholder_getattr(
    __name__,
    (
        "CityscapesInstanceEvaluator",
        "CityscapesSemSegEvaluator",
        "COCOEvaluator",
        "COCOPanopticEvaluator",
        "LVISEvaluator",
        "PascalVOCDetectionEvaluator",
        "RotatedCOCOEvaluator",
        "SemSegEvaluator",
    ),
)
