"""Keys of HITF: ``MODEL.HITF``. The defaults are the paper's where it gives a value, see the README for the others."""

from detectron2.config import CfgNode

from vis_projects.config import register_method_config


@register_method_config("HITF")
def add_hitf_config(cfg: CfgNode) -> None:
    """Adds ``MODEL.HITF`` to ``cfg``, in place."""
    cfg.MODEL.HITF = CfgNode()
    node = cfg.MODEL.HITF
    _add_network_keys(node)
    _add_temporal_keys(node)
    _add_loss_keys(node)
    _add_test_keys(node)
    # The clip's scale in training, as factors of the size that fits the canvas; more than the canvas is cropped.
    node.SCALE_JITTER = (0.5, 0.6, 0.7, 0.8, 0.9, 1.0, 1.1, 1.2, 1.3, 1.4, 1.5)
    # Frames are padded to squares of INPUT.MAX_SIZE_*; False: to the next size of the feature grid only.
    node.SQUARE_CANVAS = True


def _add_network_keys(node: CfgNode) -> None:
    # Number of classes where MODEL.VIS.NUM_CLASSES is 0.
    node.NUM_CLASSES = 40
    # L, slots of the instance code: most objects of a frame.
    node.NUM_SLOTS = 10
    # Width of the instance code, and of the pixels inside attention.
    node.CODE_DIM = 256
    node.ATTN_DIM = 256
    # Widths of all heads together: queries and keys, values.
    node.KEY_DIM = 128
    node.VALUE_DIM = 256
    node.HEADS = 8
    node.FFN_DIM = 2048
    # Intra-frame layers inside the last ResNet stage, N.
    node.NUM_INTRA = 3
    # Alternate inter- and intra-frame layers, M.
    node.NUM_ALT = 2
    # Attention of pixels to pixels in the backbone's intra-frame layers: "axial", "global" or "none"; beside the 3x3
    # convolutions ("add") or in their place ("replace", axial only).
    node.PIXEL_ATTN = "axial"
    node.PIXEL_ATTN_MODE = "add"
    # Dilations of the last stage's blocks, as factors of MODEL.RESNETS.RES5_DILATION.
    node.RES5_MULTI_GRID = (1, 2, 4)
    # Normalisation of tokens in attention layers and heads: "ln" or "bn".
    node.NORM = "ln"
    # Factor on the dot products: "learned" per head, "sqrt" of the key width, or "none" (eq. 1 as printed).
    node.LOGIT_SCALE = "learned"
    # Pixels attend to the code that the same layer has just updated, not to the layer's input.
    node.P2C_SEQUENTIAL = False
    # A feed-forward network on the pixels too.
    node.PIXEL_FFN = False
    # Codes do not attend to padding.
    node.MASK_PADDING = False
    # Width of the pixel embeddings and of the dynamic filters.
    node.MASK_DIM = 128
    # Mask logits are scaled by a "bn" of one channel or by one learned number, "scale".
    node.LOGIT_NORM = "bn"
    # Who takes the background in the softmax over slots: one more "filter", or "none" (empty slots).
    node.BG_SLOT = "filter"
    node.DECODER = CfgNode()
    node.DECODER.CHANNELS = 256
    node.DECODER.LOW_LEVEL_CHANNELS = 48
    node.DECODER.RATES = (6, 12, 18)
    node.DECODER.NORM = "BN"


def _add_temporal_keys(node: CfgNode) -> None:
    # N_ref, frames before the current one that it reads.
    node.N_REF = 3
    node.INTER = CfgNode()
    # Kinds of inter-frame attention (Table 3).
    node.INTER.C2C_C2P = True
    node.INTER.P2C = True
    # Position encoding: the sum of tables for place and frame ("factorised"), or one for each place of each frame
    # ("full"); one for all alternate layers, or one each.
    node.PE = "factorised"
    node.PE_SHARED = True
    # Missing references at the start of a video: "repeat" the oldest frame, or leave them out, "mask".
    node.REF_PAD = "repeat"
    # Gradients flow into the reference frames.
    node.REF_GRAD = True


def _add_loss_keys(node: CfgNode) -> None:
    # Pair-wise matching over frames t and t - 1 (Table 3).
    node.PM = True
    # Frames with a loss: "t", or "both" of the pair.
    node.LOSS_FRAMES = "t"
    # lambda_inst of eq. 9.
    node.LAMBDA_INST = 0.75
    # Factor on the instance losses.
    node.PQ_WEIGHT = 3.0
    # k_mask and k_cls: "dynamic" (each the quality of the other part) or "const" (1).
    node.PQ_WEIGHTS = "dynamic"
    # Least k_mask and k_cls.
    node.K_FLOOR = 1e-5
    node.AUX = CfgNode()
    # Weights of the auxiliary losses; 0: off.
    node.AUX.MASK_ID = 0.3
    node.AUX.INST_DISC = 1.0
    node.AUX.SEM = 1.0
    # Temperature of the instance discrimination.
    node.AUX.TAU = 0.3
    # Semantic head: "light" (two convolutions) or "deeplab" (a decoder of its own).
    node.AUX.SEM_TYPE = "light"


def _add_test_keys(node: CfgNode) -> None:
    node.TEST = CfgNode()
    # Pixels of a slot: where it is the largest ("argmax"), or where it also exceeds 1/2 ("thr").
    node.TEST.MASK_RULE = "argmax"
    # A mask takes over the identity of a mask of the frame before at an IoU above this; 1: never.
    node.TEST.HANDOVER_IOU = 0.5
    # A slot that was empty for more frames than this gets a new identity; -1: never.
    node.TEST.REUSE_GAP = -1
    # It also gets one if its class has changed meanwhile.
    node.TEST.REUSE_SAME_CLASS = False
    # The score is the class probability times the mean mask probability of the slot's pixels.
    node.TEST.MASK_SCORE = False
