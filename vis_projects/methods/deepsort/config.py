"""Keys of DeepSORT's appearance network: ``MODEL.REID``; those of its tracker are ``MODEL.DEEPSORT``."""

from detectron2.config import CfgNode

from vis_projects.config import register_method_config


@register_method_config("REID")
def add_reid_config(cfg: CfgNode) -> None:
    """Adds ``MODEL.REID`` to ``cfg``, in place."""
    cfg.MODEL.REID = CfgNode()
    node = cfg.MODEL.REID
    # Side in pixels of the square that each box is resized to; a multiple of 8.
    node.CROP_SIZE = 64
    # Channels of the first layers; the last ones have four times as many. A multiple of 8.
    node.WIDTH = 32
    # Size of the embedding.
    node.EMBED_DIM = 128
    # Divides the cosines before the softmax of the loss.
    node.TEMPERATURE = 0.1
    # In training each side of a box moves by up to this fraction of its size, because detected boxes are not exact.
    node.BOX_JITTER = 0.1
