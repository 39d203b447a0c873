"""Command line, set-up of a run, writers, DDP wrapper, and the default predictor and trainer."""

import argparse
import importlib.util
import os
import sys

import torch
from torch.nn.parallel import DistributedDataParallel

from detectron2.checkpoint import DetectionCheckpointer
from detectron2.config import CfgNode
from detectron2.data import MetadataCatalog
from detectron2.data import transforms as T
from detectron2.engine._impl.default_trainer import DefaultTrainer
from detectron2.modeling import build_model
from detectron2.utils import comm
from detectron2.utils.collect_env import collect_env_info
from detectron2.utils.env import seed_all_rng
from detectron2.utils.events import CommonMetricPrinter, JSONWriter, TensorboardXWriter
from detectron2.utils.file_io import PathManager
from detectron2.utils.logger import setup_logger

__all__ = [
    "create_ddp_model",
    "default_argument_parser",
    "default_setup",
    "default_writers",
    "DefaultPredictor",
    "DefaultTrainer",
]

_EXAMPLES = """
Examples:

One machine:
    $ {program} --config-file cfg.yaml --num-gpus 8

Other values for some keys:
    $ {program} --config-file cfg.yaml SOLVER.BASE_LR 0.001 MODEL.WEIGHTS weights.pth

Two machines:
    (first)$  {program} --num-machines 2 --machine-rank 0 --dist-url <URL> [...]
    (second)$ {program} --num-machines 2 --machine-rank 1 --dist-url <URL> [...]
"""


def create_ddp_model(model, *, fp16_compression=False, **kwargs):
    """The model in DistributedDataParallel, or as it is in a single process.

    Args:
        fp16_compression: send gradients between processes in float16.
        kwargs: of DistributedDataParallel; ``device_ids`` defaults to this process's GPU for a model on CUDA.
    """
    if comm.get_world_size() == 1:
        return model
    if "device_ids" not in kwargs and next(model.parameters()).is_cuda:
        kwargs["device_ids"] = [comm.get_local_rank()]
    wrapped = DistributedDataParallel(model, **kwargs)
    if fp16_compression:
        from torch.distributed.algorithms.ddp_comm_hooks import default as comm_hooks

        wrapped.register_comm_hook(state=None, hook=comm_hooks.fp16_compress_hook)
    return wrapped


def default_argument_parser(epilog=None):
    """Parser of --config-file, --resume, --eval-only, the launch options, and config overrides as the rest."""
    parser = argparse.ArgumentParser(
        epilog=epilog or _EXAMPLES.format(program=sys.argv[0]), formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--config-file", default="", metavar="FILE", help="path to config file")
    parser.add_argument(
        "--resume", action="store_true", help="go on from the last checkpoint of OUTPUT_DIR where there is one"
    )
    parser.add_argument("--eval-only", action="store_true", help="perform evaluation only")
    parser.add_argument("--num-gpus", type=int, default=1, help="number of processes *per machine*")
    parser.add_argument("--num-machines", type=int, default=1, help="total number of machines")
    parser.add_argument("--machine-rank", type=int, default=0, help="the rank of this machine (unique per machine)")
    # one port per user, so that two users of a machine do not meet
    user = os.getuid() if hasattr(os, "getuid") else 1
    parser.add_argument(
        "--dist-url",
        default=f"tcp://127.0.0.1:{2**15 + 2**14 + hash(user) % 2**14}",
        help="where the processes meet: tcp://HOST:PORT, file:///PATH, env:// or auto",
    )
    parser.add_argument("opts", nargs=argparse.REMAINDER, default=None, help="config overrides: PATH.KEY VALUE ...")
    return parser


def default_setup(cfg, args):
    """Prepare a run: output folder, loggers, environment report, config dump, seed, cudnn and matmul settings.

    The seed is SEED + rank, or random for a negative SEED.
    """
    output_dir = cfg.OUTPUT_DIR
    rank = comm.get_rank()
    if comm.is_main_process() and output_dir:
        PathManager.mkdirs(output_dir)
    setup_logger(output_dir, distributed_rank=rank, name="fvcore")
    logger = setup_logger(output_dir, distributed_rank=rank)
    logger.info("Rank of current process: %d. World size: %d", rank, comm.get_world_size())
    logger.info("Environment info:\n%s", collect_env_info())
    logger.info("Command line arguments: %s", args)
    config_file = getattr(args, "config_file", "")
    if config_file:
        with PathManager.open(config_file) as stream:
            logger.info("Contents of args.config_file=%s:\n%s", config_file, stream.read())
    if comm.is_main_process() and output_dir:
        path = os.path.join(output_dir, "config.yaml")
        logger.info("Running with full config:\n%s", cfg.dump())
        with PathManager.open(path, "w") as stream:
            stream.write(cfg.dump())
        logger.info("Full config saved to %s", path)
    seed_all_rng(None if cfg.SEED < 0 else cfg.SEED + rank)
    if not getattr(args, "eval_only", False):
        torch.backends.cudnn.benchmark = cfg.CUDNN_BENCHMARK  # a loss on the varying sizes of evaluation
    if cfg.FLOAT32_PRECISION:
        logger.info("Set fp32 precision to %s", cfg.FLOAT32_PRECISION)
        torch.set_float32_matmul_precision(cfg.FLOAT32_PRECISION)


def default_writers(output_dir: str, max_iter: int | None = None):
    """Writers to the terminal, to metrics.json and, where it is installed, to tensorboard; files in ``output_dir``."""
    PathManager.mkdirs(output_dir)
    writers = [CommonMetricPrinter(max_iter), JSONWriter(os.path.join(output_dir, "metrics.json"))]
    if importlib.util.find_spec("tensorboard") is not None:
        writers.append(TensorboardXWriter(output_dir))
    return writers


class DefaultPredictor:
    """A model with weights that maps one image to its outputs.

    Resizes by INPUT.MIN_SIZE_TEST and MAX_SIZE_TEST; metadata is that of the first test set.
    """

    def __init__(self, cfg: CfgNode):
        self.cfg = cfg.clone()
        self.model = build_model(self.cfg)
        self.model.eval()
        if len(cfg.DATASETS.TEST):
            self.metadata = MetadataCatalog.get(cfg.DATASETS.TEST[0])
        DetectionCheckpointer(self.model).load(cfg.MODEL.WEIGHTS)
        self.aug = T.ResizeShortestEdge([cfg.INPUT.MIN_SIZE_TEST, cfg.INPUT.MIN_SIZE_TEST], cfg.INPUT.MAX_SIZE_TEST)
        self.input_format = cfg.INPUT.FORMAT
        assert self.input_format in ("RGB", "BGR"), self.input_format

    def __call__(self, original_image):
        """
        Args:
            original_image: (H, W, C) array in BGR order.

        Returns:
            The model's output for this image, at its own size.
        """
        with torch.no_grad():
            image = original_image[:, :, ::-1] if self.input_format == "RGB" else original_image
            height, width = image.shape[:2]
            resized = self.aug.get_transform(image).apply_image(image)
            tensor = torch.as_tensor(resized.astype("float32").transpose(2, 0, 1)).to(self.cfg.MODEL.DEVICE)
            return self.model([{"image": tensor, "height": height, "width": width}])[0]
