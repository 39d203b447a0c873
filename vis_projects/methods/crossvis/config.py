"""Keys of CrossVIS and CondInst-VIS: ``MODEL.CROSSVIS``. The defaults are the published code's."""

from detectron2.config import CfgNode

from vis_projects.config import register_method_config


@register_method_config("CROSSVIS")
def add_crossvis_config(cfg: CfgNode) -> None:
    """Adds ``MODEL.CROSSVIS`` to ``cfg``, in place."""
    cfg.MODEL.CROSSVIS = CfgNode()
    node = cfg.MODEL.CROSSVIS
    # Weight of the crossover loss of the meta-architecture CrossVIS; 0: off.
    node.CROSS_WEIGHT = 1.0
    # Where the filter of one frame stands in the other: at a "random" positive location of the same object (the code),
    # at the "best", the most central one, or at "all", of which up to MODEL.CONDINST.MAX_PROPOSALS pairs are drawn.
    node.CROSS_LOC = "random"
    # What embeddings are compared with in training: the "global" vectors of all identities, or "pairwise" the objects
    # of the other frame (Table 7).
    node.EMBEDDING = "global"
    # Loss of that comparison: "focal" (balanced) or "ce".
    node.EMBEDDING_LOSS = "focal"
    node.EMBEDDING_WEIGHT = 1.0
    node.EMBEDDING_DIM = 256
    # Embeddings get the length sqrt(2) ln(n - 1) before the n identity vectors (the code) or stay as they are (paper).
    node.EMBEDDING_NORMALIZE = True
    # Factor on the gradient into backbone and FPN (the code's stand-in for a smaller learning rate).
    node.BACKBONE_GRAD_SCALE = 0.1
    # Tracker: similarity from which on a detection belongs to a track.
    node.MATCH_THRESH = 0.4
    # Detections match tracks of their class only.
    node.CLASS_GATE = True
    # Box IoU is added to the cosine of the embeddings.
    node.USE_IOU = True
    # A track's similarity is the mean over so many of its last sights.
    node.MEMORY_LEN = 1
    # A track can be found again up to this many frames after it was last seen; 0: for ever.
    node.RETAIN_FRAMES = 0
