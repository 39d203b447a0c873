"""Keys of STMask: ``MODEL.STMASK``. The defaults are the released code's full adaptive model on a ResNet-101."""

from detectron2.config import CfgNode

from vis_projects.config import register_method_config


@register_method_config("STMASK")
def add_stmask_config(cfg: CfgNode) -> None:
    """Adds ``MODEL.STMASK`` to ``cfg``, in place."""
    cfg.MODEL.STMASK = CfgNode()
    node = cfg.MODEL.STMASK
    # Number of classes where MODEL.VIS.NUM_CLASSES is 0.
    node.NUM_CLASSES = 40
    # In these stages of the ResNet, block 0 and every DCN_INTERVAL-th block have a modulated deformable 3x3
    # convolution; 0: none has.
    node.DCN_INTERVAL = 3
    node.DCN_STAGES = ("res3", "res4", "res5")
    _add_network_keys(node)
    _add_training_keys(node)
    _add_temporal_keys(node)
    _add_test_keys(node)


def _add_network_keys(node: CfgNode) -> None:
    node.PROTO = CfgNode()
    # Level that the prototypes are made from; they have twice its size.
    node.PROTO.SRC = "p3"
    # K: number of prototypes and of mask coefficients.
    node.PROTO.DIM = 32
    # Width of the convolutions before.
    node.PROTO.CHANNELS = 256

    node.HEAD = CfgNode()
    # 3x3 convolutions of each branch before its last layer.
    node.HEAD.TOWER_CONVS = 2
    # D: size of the track embedding.
    node.HEAD.EMBED_DIM = 128
    # A fifth output, trained to be the DIoU of its box, multiplies the score (in the code, not in the paper).
    node.HEAD.CENTERNESS = True
    # How that output is flattened: "kernel_major", which is another order than that of all other outputs (the code),
    # or "anchor_major", the order of the others.
    node.HEAD.CENTERNESS_ORDER = "kernel_major"

    node.ANCHOR = CfgNode()
    # Anchor boxes in cells: "kernel" (the footprint of the kernel: FCA as the code has it), "sqrt_ratio" (9 cells at
    # ANCHOR.RATIOS: the baseline) or "area_ratio" (the shape of the kernel at 9 cells: FCA as the paper has it).
    node.ANCHOR.MODE = "kernel"
    # Width : height for each kernel; read by "sqrt_ratio".
    node.ANCHOR.RATIOS = (1.0, 0.5, 2.0)
    # Sizes of each kernel's anchors.
    node.ANCHOR.SCALES_PER_KERNEL = (1.0,)
    # Factors of centre and size in the box coding.
    node.ANCHOR.BOX_VARIANCES = (0.1, 0.2)

    node.FCA = CfgNode()
    # (height, width) of the kernels of the last layers, one set of outputs each.
    node.FCA.KERNELS = ((3, 3), (3, 5), (5, 3))

    node.FCB = CfgNode()
    # Calibration of features to the regressed box: "none", "ada" (learnt offsets) or "ali" (derived offsets).
    node.FCB.TYPE = "ada"
    # Branches that have it: some of "class", "mask", "track".
    node.FCB.BRANCHES = ("class",)


def _add_training_keys(node: CfgNode) -> None:
    node.MATCHER = CfgNode()
    # An anchor is positive from IoU POS on, background below NEG, and neither between.
    node.MATCHER.POS = 0.5
    node.MATCHER.NEG = 0.4
    # Anchors that overlap two or more objects by more than NEG are neither (the code, not the paper).
    node.MATCHER.MULTI_GT_NEUTRAL = True
    # Overlaps and thresholds grow with the probability of the right class (the code, not the paper).
    node.MATCHER.CLASS_AWARE = True

    node.LOSS = CfgNode()
    # Weights of the losses.
    node.LOSS.CLS = 6.125
    node.LOSS.BOX = 5.0
    node.LOSS.MASK = 6.125
    node.LOSS.CENTER = 20.0
    node.LOSS.TRACK = 5.0
    node.LOSS.BOX_SHIFT = 5.0
    node.LOSS.MASK_SHIFT = 6.125
    # "diou" (the code) or "smooth_l1" of the box deltas (Yolact, with the weight 1.5).
    node.LOSS.BOX_TYPE = "diou"
    # What masks are cut with in training: "pred_x1.2" (the predicted box, enlarged), "pred" or "gt".
    node.LOSS.MASK_CROP = "pred_x1.2"
    # Whether the DIoU that centerness learns has no gradient into the boxes.
    node.LOSS.DETACH_CENTER_TARGET = False
    # Background anchors per positive one in the class loss, the hardest of the batch.
    node.LOSS.OHEM_RATIO = 3
    # "official": weights of anchors in the code's order, which is not that of the anchors; or "aligned".
    node.LOSS.OHEM_WEIGHT_ORDER = "official"


def _add_temporal_keys(node: CfgNode) -> None:
    node.TF = CfgNode()
    # Temporal fusion, in training and at test time.
    node.TF.ENABLED = True
    # Level whose features are correlated.
    node.TF.LEVEL = "p4"
    # Places per side that each place is correlated with, and their distance, in cells.
    node.TF.PATCH = 11
    node.TF.DILATION = 1
    # Cells per side of an RoI.
    node.TF.ROI = 7
    # Factor on width and height of the boxes before their RoIs are cut out.
    node.TF.BOX_EXPAND = 1.0
    # Width of the three convolutions on an RoI.
    node.TF.CONV_DIMS = (512, 512, 1024)
    # Whether the shift of the coefficients is trained by a loss on masks.
    node.TF.SHIFT_MASK_LOSS = True


def _add_test_keys(node: CfgNode) -> None:
    node.TEST = CfgNode()
    # Least probability of an anchor's best class, and least score of what is given out.
    node.TEST.SCORE_THRESH = 0.05
    # "cross_class_fast" (the code), "per_class_fast" (Yolact, mAP* of the released table) or "standard" (greedy, per
    # class).
    node.TEST.NMS = "cross_class_fast"
    node.TEST.NMS_IOU = 0.5
    # Candidates that go into NMS, per class where it is per class.
    node.TEST.TOPK = 200
    # Detections that are kept: after NMS per class, and after NMS across classes; -1: all.
    node.TEST.MAX_DETS = 100
    node.TEST.MAX_DETS_CROSS_CLASS = -1
    # Weights of detection score, mask IoU, box IoU and class in the match of detections and objects (eq. 15).
    node.TEST.MATCH_COEFF = (0.0, 1.0, 2.0, 0.0)
    # IoU of masks and boxes that a "new object" stands for.
    node.TEST.DUMMY_IOU = 0.3
    # The cosine of embeddings is brought to [0, 1] (the code).
    node.TEST.COS_RESCALE = True
    # Factor on the score of an object for each frame that it is shifted.
    node.TEST.SHIFT_DECAY = 0.95
    # Frames that an object is given out for without being detected.
    node.TEST.MAX_PROPAGATE = 10
    # An object is given out if its mask has more pixels than this, at the size of the prototypes.
    node.TEST.MIN_MASK_PIXELS = 1
    # Objects that were not detected for more frames than this are forgotten; -1: none is.
    node.TEST.PRUNE_AFTER = -1
