"""Names of the model zoo, which the subset lacks; weights are read through ``detectron2://`` and https paths."""

from detectron2._impl.placeholders import placeholder_getattr

__getattr__ = placeholder_getattr(__name__, ("get", "get_checkpoint_url", "get_config", "get_config_file"))
