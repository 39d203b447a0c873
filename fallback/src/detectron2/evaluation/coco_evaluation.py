"""The real package's COCO evaluator is not part of the subset; its names say so when used."""

from detectron2._impl.placeholders import placeholder_getattr

__getattr__ = placeholder_getattr(
    __name__, ("COCOEvaluator", "_evaluate_predictions_on_coco", "instances_to_coco_json")
)
