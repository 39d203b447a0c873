"""Keys of the detector: ``MODEL.FCOS``. The defaults are AdelaiDet's for CondInst."""

from detectron2.config import CfgNode

from vis_projects.config import register_method_config


@register_method_config("FCOS")
def add_fcos_config(cfg: CfgNode) -> None:
    """Adds ``MODEL.FCOS`` to ``cfg``, in place."""
    cfg.MODEL.FCOS = CfgNode()
    node = cfg.MODEL.FCOS
    # Levels of the detector, finest first, and their strides in pixels.
    node.IN_FEATURES = ("p3", "p4", "p5", "p6", "p7")
    node.STRIDES = (8, 16, 32, 64, 128)
    # An object goes to the level whose range, in pixels, holds its largest target distance: (-1, a), (a, b), ...
    node.SIZES_OF_INTEREST = (64, 128, 256, 512)
    # Number of classes where MODEL.VIS.NUM_CLASSES is 0.
    node.NUM_CLASSES = 80
    # Convolutions of each tower.
    node.NUM_CONVS = 4
    # Focal loss of the classes.
    node.LOSS_ALPHA = 0.25
    node.LOSS_GAMMA = 2.0
    # Centre sampling: radius in strides, around the centre of "mass" of the mask or of the "box".
    node.POS_RADIUS = 1.5
    node.CENTER_MODE = "mass"
    # Inference: threshold of class probability times centerness, or of the probability alone.
    node.SCORE_THRESH_TEST = 0.05
    node.THRESH_WITH_CENTERNESS = True
    # Candidates per level, box IoU of the suppression, detections per frame.
    node.PRE_NMS_TOPK_TEST = 1000
    node.NMS_THRESH_TEST = 0.6
    node.POST_NMS_TOPK_TEST = 100
