"""Keys of the trackers that stand behind any detector: ``IOU_TRACKER``, ``DEEPSORT``, ``SEQ_TRACKER`` of ``MODEL``."""

from detectron2.config import CfgNode

from vis_projects.config import register_method_config


@register_method_config("IOU_TRACKER")
def add_iou_tracker_config(cfg: CfgNode) -> None:
    """Adds ``MODEL.IOU_TRACKER`` to ``cfg``, in place."""
    cfg.MODEL.IOU_TRACKER = CfgNode()
    node = cfg.MODEL.IOU_TRACKER
    # (alpha, beta, gamma) of eq. 3: weights of detection score, IoU, class; 0 = cue off.
    node.MATCH_COEFF = (1.0, 2.0, 10.0)
    # Least IoU with a track that a detection needs to join it.
    node.MIN_IOU = 0.3
    # Which class a track remembers: that of its "first" or of its "latest" detection.
    node.MEMORY_LABEL = "first"
    # A track can be found again up to this many frames after it was last seen; 0: for ever.
    node.RETAIN_FRAMES = 0


@register_method_config("SEQ_TRACKER")
def add_seq_tracker_config(cfg: CfgNode) -> None:
    """Adds ``MODEL.SEQ_TRACKER`` to ``cfg``, in place."""
    cfg.MODEL.SEQ_TRACKER = CfgNode()
    node = cfg.MODEL.SEQ_TRACKER
    # (alpha, beta, gamma) of eq. 3: weights of detection score, IoU, class; 0 = cue off.
    node.MATCH_COEFF = (1.0, 2.0, 10.0)
    # Least IoU of two detections that may follow each other in a track.
    node.MIN_IOU = 0.3
    # Frames that a track may skip between two detections; -1: any number, as IoUTracker+ with its memory; 0: none.
    node.MAX_GAP_FRAMES = -1
    # The search ends with the first best track of fewer detections than this.
    node.MIN_LENGTH = 8


@register_method_config("DEEPSORT")
def add_deepsort_config(cfg: CfgNode) -> None:
    """Adds ``MODEL.DEEPSORT`` to ``cfg``, in place."""
    cfg.MODEL.DEEPSORT = CfgNode()
    node = cfg.MODEL.DEEPSORT
    # Match by appearance first (DeepSORT); False: by box overlap alone, without a network (SORT).
    node.APPEARANCE = True
    # Detections of a lower score are left out.
    node.MIN_SCORE = 0.0
    # Weight of the Mahalanobis distance against the cosine distance in the cost of the first stage (lambda, eq. 5).
    node.MOTION_WEIGHT = 0.0
    # Largest cosine distance of a pair in the first stage.
    node.MAX_COSINE_DISTANCE = 0.2
    # Embeddings that a track keeps.
    node.GALLERY_SIZE = 100
    # Least IoU of a pair in the second stage.
    node.MIN_IOU = 0.3
    # Pair detections and tracks of the same class only; False: of any class.
    node.SAME_CLASS = True
    # Detections in consecutive frames that confirm a new track.
    node.NUM_INIT = 3
    # Frames that a confirmed track lives on without a detection.
    node.MAX_AGE_FRAMES = 30
    # Give ids to detections of tracks that are not confirmed yet; False: leave these detections out.
    node.KEEP_TENTATIVE = True
    # Standard deviation of a position per frame, as a fraction of the box height.
    node.POSITION_STD = 0.05
    # Standard deviation of a velocity per frame, as a fraction of the box height.
    node.VELOCITY_STD = 0.00625
