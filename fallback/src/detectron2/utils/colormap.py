"""Names of the colour tables, which the subset lacks."""

from detectron2._impl.placeholders import placeholder_getattr

__getattr__ = placeholder_getattr(__name__, ("colormap", "random_color", "random_colors"))
