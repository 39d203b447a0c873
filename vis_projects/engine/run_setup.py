"""From command-line arguments to the config that runs: device, classes and schedule are derived from what is there."""

import logging
from argparse import Namespace
from collections.abc import Sequence

import torch
from detectron2.checkpoint import Checkpointer
from detectron2.config import CfgNode
from detectron2.engine import DefaultTrainer, default_setup
from detectron2.utils import comm
from detectron2.utils.logger import setup_logger

from vis_projects.data import DatasetError, count_train_items
from vis_projects.engine.config_file import find_config_file, load_config
from vis_projects.engine.dataset_facts import DatasetFacts, check_present, check_same_classes, read_facts
from vis_projects.engine.errors import ConfigError, DataError, last_line
from vis_projects.engine.run_record import write_run_record
from vis_projects.engine.schedule import BatchPlan, epochs_to_iterations

logger = logging.getLogger(__name__)


def setup(args: Namespace) -> CfgNode:
    """The frozen config of a run; also starts logging and writes config.yaml and run.json to OUTPUT_DIR.

    Args:
        args: of `detectron2.engine.default_argument_parser`: config_file, opts, eval_only, resume. Both of the last
            two evaluate MODEL.WEIGHTS of the command line, else the last checkpoint of OUTPUT_DIR.

    Raises:
        ConfigError, DataError: an unknown key, a missing data set, classes that contradict each other.
    """
    cfg = load_config(args.config_file, args.opts)
    setup_logger(cfg.OUTPUT_DIR, distributed_rank=comm.get_rank(), name="vis_projects", abbrev_name="vis")
    if args.eval_only and args.resume and "MODEL.WEIGHTS" not in args.opts:
        use_last_checkpoint(cfg)
    choose_device(cfg)
    if cfg.SEED < 0:
        cfg.SEED = comm.shared_random_seed() % 2**31
    derive_from_data(cfg, train=not args.eval_only)
    cfg.freeze()
    found = find_config_file(args.config_file) if args.config_file else ""
    default_setup(cfg, Namespace(**{**vars(args), "config_file": found}))  # it prints the file
    write_run_record(cfg)
    return cfg


def check_arguments(args: Namespace) -> CfgNode:
    """The quick half of `setup`, for the moment before processes start: config and files are there, or an error.

    Returns:
        The config without what is derived from the data.
    """
    cfg = load_config(args.config_file, args.opts)
    check_present(dataset_names(cfg, train=not args.eval_only))
    return cfg


def dataset_names(cfg: CfgNode, *, train: bool) -> list[str]:
    """Data sets that a run reads, without repetition.

    Raises:
        ConfigError: there is none.
    """
    names = [*cfg.DATASETS.TRAIN, *cfg.DATASETS.TEST] if train else list(cfg.DATASETS.TEST)
    if train and not cfg.DATASETS.TRAIN:
        raise ConfigError("DATASETS.TRAIN is empty; name the registered sets to train on, or use --eval-only")
    if not names:
        raise ConfigError("DATASETS.TEST is empty; name the registered sets to evaluate on")
    return list(dict.fromkeys(names))


def use_last_checkpoint(cfg: CfgNode) -> None:
    """Points MODEL.WEIGHTS to the last checkpoint of OUTPUT_DIR, if there is one."""
    checkpointer = Checkpointer(torch.nn.Module(), cfg.OUTPUT_DIR)
    if checkpointer.has_checkpoint():
        cfg.MODEL.WEIGHTS = checkpointer.get_checkpoint_file()
        logger.info(f"MODEL.WEIGHTS = {cfg.MODEL.WEIGHTS}, the last checkpoint of OUTPUT_DIR")


def choose_device(cfg: CfgNode) -> None:
    """Falls back to the CPU, with one logged line, when MODEL.DEVICE names a GPU that is not there."""
    if cfg.MODEL.DEVICE.startswith("cuda") and not torch.cuda.is_available():
        logger.warning(f"MODEL.DEVICE is {cfg.MODEL.DEVICE!r} but no CUDA device is there: running on the CPU")
        cfg.MODEL.DEVICE = "cpu"


def derive_from_data(cfg: CfgNode, *, train: bool) -> None:
    """Writes class count, identity count, batch and schedule into `cfg`.

    Args:
        cfg: not frozen; changed in place.
        train: also read DATASETS.TRAIN and derive the schedule from it.
    """
    names = dataset_names(cfg, train=train)
    check_present(names)
    items = _count_items(cfg) if train else 0
    facts = {name: read_facts(name) for name in names}
    # the numbering of vis_projects.data: the subset, else the classes of the first training set
    first = facts[cfg.DATASETS.TRAIN[0] if train else cfg.DATASETS.TEST[0]]
    class_names = tuple(cfg.DATASETS.CLASS_SUBSET) or first.class_names
    set_num_classes(cfg, len(class_names), source="DATASETS.CLASS_SUBSET" if cfg.DATASETS.CLASS_SUBSET else first.name)
    if not cfg.DATASETS.CLASS_SUBSET:
        check_same_classes(class_names, [facts[name] for name in cfg.DATASETS.TEST])
    if train:
        _set_identities(cfg, [facts[name] for name in cfg.DATASETS.TRAIN])
        _set_schedule(cfg, items)


def set_num_classes(cfg: CfgNode, num_classes: int, *, source: str) -> None:
    """Writes a class count to every key that a model may read it from.

    Raises:
        ConfigError: MODEL.VIS.NUM_CLASSES is set to another count, or there is no class.
    """
    given = cfg.MODEL.VIS.NUM_CLASSES
    if given not in (0, num_classes):
        raise ConfigError(
            f"MODEL.VIS.NUM_CLASSES is {given}, but {source} has {num_classes} classes; set it to 0 (taken from the "
            "data), or choose the classes with DATASETS.CLASS_SUBSET"
        )
    if num_classes == 0:
        raise ConfigError(f"{source} lists no category; its json needs `categories`")
    if given == 0:
        logger.info(f"MODEL.VIS.NUM_CLASSES = {num_classes}, from {source}")
    cfg.MODEL.VIS.NUM_CLASSES = num_classes
    cfg.MODEL.ROI_HEADS.NUM_CLASSES = num_classes
    cfg.MODEL.RETINANET.NUM_CLASSES = num_classes


def _set_identities(cfg: CfgNode, facts: Sequence[DatasetFacts]) -> None:
    total = sum(fact.num_identities for fact in facts)
    if cfg.MODEL.VIS.NUM_IDENTITIES == 0:
        cfg.MODEL.VIS.NUM_IDENTITIES = total
        logger.info(f"MODEL.VIS.NUM_IDENTITIES = {total}, from {', '.join(cfg.DATASETS.TRAIN)}")
    elif cfg.MODEL.VIS.NUM_IDENTITIES < total:
        raise ConfigError(
            f"MODEL.VIS.NUM_IDENTITIES is {cfg.MODEL.VIS.NUM_IDENTITIES}, but the training sets have {total} "
            "identities; set it to 0 (taken from the data)"
        )


def _set_schedule(cfg: CfgNode, items: int) -> None:
    world_size = comm.get_world_size()
    scaled = DefaultTrainer.auto_scale_workers(cfg, world_size)
    if scaled is not cfg:
        cfg.merge_from_other_cfg(scaled)
    BatchPlan(cfg.SOLVER.IMS_PER_BATCH, cfg.SOLVER.ACCUM_ITERS, world_size)
    if cfg.SOLVER.NUM_EPOCHS > 0:
        max_iter, steps = epochs_to_iterations(
            cfg.SOLVER.NUM_EPOCHS, cfg.SOLVER.STEP_EPOCHS, items, cfg.SOLVER.IMS_PER_BATCH
        )
        cfg.SOLVER.MAX_ITER, cfg.SOLVER.STEPS = max_iter, steps
        logger.info(
            f"SOLVER.MAX_ITER = {max_iter}, SOLVER.STEPS = {steps}: {cfg.SOLVER.NUM_EPOCHS} epochs of {items} items "
            f"in batches of {cfg.SOLVER.IMS_PER_BATCH} ({world_size} processes x {cfg.SOLVER.ACCUM_ITERS} steps)"
        )


def _count_items(cfg: CfgNode) -> int:
    # reads the training sets and looks for their frames, so that a fault stops the run here
    try:
        return count_train_items(cfg)
    except (FileNotFoundError, DatasetError) as error:
        raise DataError(f"DATASETS.TRAIN: {last_line(error)}") from error
