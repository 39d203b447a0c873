"""Names of Detectron2's own test helpers, which the subset lacks."""

from detectron2._impl.placeholders import placeholder_getattr

__getattr__ = placeholder_getattr(__name__, ("get_model_no_weights", "random_boxes"))
