"""Keys of CompFeat: ``MODEL.COMPFEAT``. The paper leaves much open; each choice that can change results is here."""

from detectron2.config import CfgNode

from vis_projects.config import register_method_config


@register_method_config("COMPFEAT")
def add_compfeat_config(cfg: CfgNode) -> None:
    """Adds ``MODEL.COMPFEAT`` to ``cfg``, in place."""
    cfg.MODEL.COMPFEAT = CfgNode()
    node = cfg.MODEL.COMPFEAT
    # Gradients flow into the support frames; False takes them as constants and saves their activations.
    node.SUPPORT_GRAD = True
    # Cells that lie in the padding of an image take no part in attention and pooling; costs a loop over images.
    node.MASK_PADDING = False
    _add_attention_keys(node)
    _add_track_keys(node)
    _add_test_keys(node)


def _add_attention_keys(node: CfgNode) -> None:
    for name in ("FDA", "BDA"):
        part = CfgNode()
        # Frame-level (FDA) and object-level (BDA) dual attention: both halves, or one of them (Table 2).
        part.ENABLED = True
        part.TEMPORAL = True
        part.SPATIAL = True
        # Side of the key and value convolutions: 1 or 3.
        part.KERNEL = 1
        # One convolution makes the keys of the current frame and of the supports.
        part.SHARE_KEY = False
        # Activation of keys, values and output: "relu" or "leaky_relu".
        part.ACT = "relu"
        # Factor on the dot products: "none" (eq. 1) or "sqrt", 1 / sqrt(channels of a key).
        part.SCALE = "none"
        # A learned factor on the temporal branch, 0 at the start, so that training starts from the identity.
        part.GATE = False
        # Channels of the spatial branch are divided by this in its middle.
        part.SA_RATIO = 4
        node[name] = part
    # Attention on ResNet stages before the FPN ("backbone") or on FPN levels ("fpn"), and on which of them.
    node.FDA.PLACEMENT = "backbone"
    node.FDA.STAGES = ("res4", "res5")
    # Branches that get attended RoI features, of "box", "track", "mask".
    node.BDA.APPLY_TO = ("box", "track")
    # FPN level of the supports that RoIs attend to: one name, several joined by "+", or "assigned", the RoI's own.
    node.BDA.KEY_LEVEL = "p4"


def _add_track_keys(node: CfgNode) -> None:
    node.TRACK = CfgNode()
    track = node.TRACK
    # "corr" is the correlation tracking module, "dot_fc" the track head of MaskTrack R-CNN.
    track.HEAD = "corr"
    # Layers and width of "dot_fc", and whether its last layer has a ReLU.
    track.NUM_FC = 2
    track.FC_DIM = 1024
    track.FC_FINAL_RELU = False
    # "corr": a 3x3 convolution with GN and ReLU before each side of a correlation ("siamrpn"), or "none".
    track.ADJUST = "siamrpn"
    # Correlations are divided by the number of cells of a template ("mean") or not ("sum").
    track.CORR_NORM = "mean"
    # Correlate reference objects with the current frame too, and learn the map.
    track.USE_MAP = True
    # FPN level of the frame side, or "scale": one above the level of the object's box, p3 to p5.
    track.SEARCH_LEVEL = "p4"
    # Side of the two convolutions that refine a correlation map: 1 or 3.
    track.REFINE_KERNEL = 1
    # RoIAlign of current boxes on the "refined" correlation features, or on the "raw" ones.
    track.ROI_FROM = "refined"
    # The similarity vector from the map counts in the score at test time.
    track.TEST_USE_MAP_VECTOR = True
    # Standard deviation of the pseudo likelihood map, as a part of the object's width and height.
    track.SIGMA = 0.25
    # Loss of the map: "bce" (less the target's entropy), "mse" (after the sigmoid) or "focal".
    track.MAP_LOSS = "bce"
    # Weights of the two losses.
    track.MAP_WEIGHT = 1.0
    track.LOSS_WEIGHT = 1.0
    # An object that has left the frame is taught an empty map.
    track.ABSENT_MAP = True
    # Least IoU with its object that a foreground RoI needs to train the track head.
    track.POS_IOU = 0.5
    # The memory keeps the features of a track as they are without attention ("raw", as in training) or "attended".
    track.MEMORY_FEATS = "raw"
    # (alpha, beta, gamma): weights of detection score, box IoU and class beside the track score ("post-processing").
    track.MATCH_COEFF = (1.0, 2.0, 10.0)
    # IoU and class agreement that the "new object" column gets.
    track.NEW_IOU = 0.0
    track.NEW_LABEL_DELTA = 1.0
    # Which class a track remembers: that of its "first" or of its "latest" detection.
    track.MEMORY_LABEL = "first"
    # A track can be found again up to this many frames after it was last seen; 0: for ever.
    track.RETAIN_FRAMES = 0
    # Box sides of the IoU are x1 - x0 + 1 and not x1 - x0.
    track.INCLUSIVE_BOX_IOU = False


def _add_test_keys(node: CfgNode) -> None:
    node.TEST = CfgNode()
    # Support frames of each frame at test time; training reads INPUT.VIDEO.NUM_SUPPORT_FRAMES.
    node.TEST.NUM_SUPPORT = 4
    # "uniform_video": spread over the whole video, later frames included, as in the paper; truly online are
    # "uniform_past", spread over the past, and "recent", the last frames.
    node.TEST.SUPPORT = "uniform_video"
    # Past frames whose keys and values are kept for "uniform_past"; of a longer video every second, fourth, ... frame.
    node.TEST.CACHE_FRAMES = 36
