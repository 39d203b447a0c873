"""Keys of the mask half: ``MODEL.CONDINST``. The defaults are AdelaiDet's."""

from detectron2.config import CfgNode

from vis_projects.config import register_method_config


@register_method_config("CONDINST")
def add_condinst_config(cfg: CfgNode) -> None:
    """Adds ``MODEL.CONDINST`` to ``cfg``, in place."""
    cfg.MODEL.CONDINST = CfgNode()
    node = cfg.MODEL.CONDINST
    # Stride of mask logits and mask losses in pixels.
    node.MASK_OUT_STRIDE = 4
    # Positive locations of a batch of frames that the mask losses use at most; <= 0: all.
    node.MAX_PROPOSALS = 500
    node.MASK_BRANCH = CfgNode()
    # Levels that are summed, finest first.
    node.MASK_BRANCH.IN_FEATURES = ("p3", "p4", "p5")
    # Channels that the dynamic heads read, channels within the branch, convolutions of its tower.
    node.MASK_BRANCH.OUT_CHANNELS = 8
    node.MASK_BRANCH.CHANNELS = 128
    node.MASK_BRANCH.NUM_CONVS = 4
    node.MASK_BRANCH.NORM = "BN"
