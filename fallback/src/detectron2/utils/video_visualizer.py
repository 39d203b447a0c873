"""Names of the drawing of videos; the subset draws nothing."""

from detectron2._impl.placeholders import placeholder_getattr

__getattr__ = placeholder_getattr(__name__, ("VideoVisualizer",))
