"""Key matching of checkpoints and names of Caffe2 models, at their public path."""

from detectron2.checkpoint._impl.caffe2_names import convert_basic_c2_names, convert_c2_detectron_names
from detectron2.checkpoint._impl.key_matching import align_and_update_state_dicts

__all__ = ["align_and_update_state_dicts", "convert_basic_c2_names", "convert_c2_detectron_names"]
