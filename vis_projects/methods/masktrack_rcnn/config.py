"""Keys of MaskTrack R-CNN: ``MODEL.MASKTRACK``. The defaults are the published operating point."""

from detectron2.config import CfgNode

from vis_projects.config import register_method_config


@register_method_config("MASKTRACK")
def add_masktrack_config(cfg: CfgNode) -> None:
    """Adds ``MODEL.MASKTRACK`` to ``cfg``, in place."""
    cfg.MODEL.MASKTRACK = CfgNode()
    node = cfg.MODEL.MASKTRACK
    # Fully connected layers of the track head.
    node.NUM_FC = 2
    # Width of each of them, the last one's being the size of the embedding.
    node.FC_DIM = 1024
    # ReLU after the last layer too.
    node.TRACK_FC_FINAL_RELU = False
    # Weight of the track loss.
    node.LOSS_WEIGHT = 1.0
    # Least IoU with its object that a foreground RoI needs to train the track head (the paper says
    # 0.7); values up to MODEL.ROI_HEADS.IOU_THRESHOLDS take every foreground RoI.
    node.TRACK_POS_IOU = 0.5
    # (alpha, beta, gamma) of eq. 3: weights of detection score, box IoU, class; 0 = cue off.
    node.MATCH_COEFF = (1.0, 2.0, 10.0)
    # IoU that the "new object" column gets in eq. 3.
    node.NEW_IOU = 0.0
    # Class agreement that the "new object" column gets in eq. 3.
    node.NEW_LABEL_DELTA = 1.0
    # Which class a track remembers: that of its "first" or of its "latest" detection.
    node.MEMORY_LABEL = "first"
    # A track can be found again up to this many frames after it was last seen; 0: for ever.
    node.RETAIN_FRAMES = 0
    # Box sides of the IoU in eq. 3 are x1 - x0 + 1 (the first code's convention) and not x1 - x0.
    node.INCLUSIVE_BOX_IOU = False
