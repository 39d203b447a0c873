"""Names of the drawing of single images; the subset draws nothing."""

from detectron2._impl.placeholders import placeholder_getattr

__getattr__ = placeholder_getattr(
    __name__, ("ColorMode", "GenericMask", "VisImage", "Visualizer", "_create_text_labels")
)
