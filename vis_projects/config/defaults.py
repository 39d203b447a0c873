"""Shared keys: ``MODEL.VIS``, ``INPUT.VIDEO``, ``DATASETS``, ``TEST.VIDEO`` and ``SOLVER`` additions.

``add_vis_config(cfg)`` turns any Detectron2 config into one that every yaml of this project merges
into; ``get_vis_cfg()`` is Detectron2's own defaults plus that.
"""

from detectron2.config import CfgNode, get_cfg

from vis_projects.config.registry import add_method_configs


def get_vis_cfg() -> CfgNode:
    """Returns a fresh config: Detectron2's defaults, the shared keys, each method's keys."""
    cfg = get_cfg()
    add_vis_config(cfg)
    return cfg


def add_vis_config(cfg: CfgNode) -> None:
    """Adds the shared keys and those of each registered method to ``cfg``, in place.

    A config that has the keys already keeps its values, so a second call changes nothing.
    """
    if "VIS" not in cfg.MODEL:
        _add_model_keys(cfg)
        _add_input_keys(cfg)
        _add_dataset_keys(cfg)
        _add_test_keys(cfg)
        _add_solver_keys(cfg)
    add_method_configs(cfg)


def _add_model_keys(cfg: CfgNode) -> None:
    cfg.MODEL.VIS = CfgNode()
    # Class of VIS_MAPPER_REGISTRY that turns a video record into the model's input.
    cfg.MODEL.VIS.MAPPER = ""
    # Number of object classes; 0: taken from the training json.
    cfg.MODEL.VIS.NUM_CLASSES = 0
    # Number of annotated identities in the training sets; 0: taken from the training json.
    cfg.MODEL.VIS.NUM_IDENTITIES = 0
    # Fraction of the model's parameters that a checkpoint must fill, or loading stops.
    cfg.MODEL.VIS.LOAD_MIN_MATCHED = 0.5
    cfg.MODEL.VIS.TRACKER = CfgNode()
    # Class of TRACKER_REGISTRY that gives detections their ids.
    cfg.MODEL.VIS.TRACKER.NAME = ""
    # Checkpoint of the tracker's own network, of the run that trained it; "": random weights, or there is none.
    cfg.MODEL.VIS.TRACKER.WEIGHTS = ""


def _add_input_keys(cfg: CfgNode) -> None:
    cfg.INPUT.VIDEO = CfgNode()
    # Largest distance, in frames, between a key frame and its reference; <= 0: the whole video.
    cfg.INPUT.VIDEO.REF_FRAME_RANGE = 0
    # Support frames beside each key frame.
    cfg.INPUT.VIDEO.NUM_SUPPORT_FRAMES = 0
    # How support frames are drawn.
    cfg.INPUT.VIDEO.SUPPORT_SAMPLING = "uniform"
    # Random brightness, contrast and saturation in training.
    cfg.INPUT.VIDEO.COLOR_JITTER = False
    # Draw the colour jitter per frame instead of once per clip.
    cfg.INPUT.VIDEO.PER_FRAME_JITTER = False
    # Frames keep their ratio of width to height; False: all of them become MIN_SIZE_* high and MAX_SIZE_* wide.
    cfg.INPUT.VIDEO.KEEP_ASPECT_RATIO = True
    # What one epoch counts: every annotated "frame" as key once, or every "video" once.
    cfg.INPUT.VIDEO.EPOCH_UNIT = "frame"

    cfg.INPUT.VIDEO.PSEUDO = CfgNode()
    # Pseudo-videos from still images: largest rotation between frames, in degrees.
    cfg.INPUT.VIDEO.PSEUDO.ROTATION_DEG = 10.0
    # Largest shift between frames, as a fraction of the image's sides.
    cfg.INPUT.VIDEO.PSEUDO.TRANSLATE_FRACTION = 0.1
    # Largest shear between frames, in degrees.
    cfg.INPUT.VIDEO.PSEUDO.SHEAR_DEG = 5.0
    # Smallest and largest scale of a frame against the still image.
    cfg.INPUT.VIDEO.PSEUDO.SCALE_RANGE = (0.9, 1.1)


def _add_dataset_keys(cfg: CfgNode) -> None:
    # Names of the classes to keep, in all sets; empty: all.
    cfg.DATASETS.CLASS_SUBSET = ()
    # Sampling weight of each training set, in the order of DATASETS.TRAIN; empty: by size.
    cfg.DATASETS.TRAIN_WEIGHTS = ()


def _add_test_keys(cfg: CfgNode) -> None:
    cfg.TEST.VIDEO = CfgNode()
    # Tracks seen in fewer frames than this are left out of the results.
    cfg.TEST.VIDEO.MIN_TRACK_LEN_FRAMES = 0
    # Tracks whose mean score is below this are left out of the results.
    cfg.TEST.VIDEO.SCORE_FLOOR = 0.0
    # Run inference in mixed precision (float16 on CUDA, bfloat16 elsewhere).
    cfg.TEST.VIDEO.AMP = False
    # Ground truth that evaluation hands to the model: "image" (boxes, masks and classes, followed by the model's own
    # association), "identity" (identities, for what the model has found); "" for none.
    cfg.TEST.VIDEO.ORACLE = ""


def _add_solver_keys(cfg: CfgNode) -> None:
    # Length of training in epochs; sets MAX_ITER from the data. 0: MAX_ITER rules.
    cfg.SOLVER.NUM_EPOCHS = 0
    # Epochs after which the learning rate is multiplied by GAMMA; sets STEPS. Used with NUM_EPOCHS.
    cfg.SOLVER.STEP_EPOCHS = ()
    # Clip the L2 norm of the whole model's gradient to this; 0: off.
    cfg.SOLVER.CLIP_TOTAL_NORM = 0.0
    # Parts that a process cuts its share of one IMS_PER_BATCH batch into; their gradients are averaged into one step.
    cfg.SOLVER.ACCUM_ITERS = 1
    # "SGD" (with MOMENTUM), "ADAM" or "ADAMW".
    cfg.SOLVER.OPTIMIZER = "SGD"
    # Learning rate of some parameters: pairs of (prefix of their names, factor); the first prefix that fits counts.
    cfg.SOLVER.LR_FACTORS = ()
    # Exponent of LR_SCHEDULER_NAME "WarmupPolyLR".
    cfg.SOLVER.POLY_LR_POWER = 0.9
