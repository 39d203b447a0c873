"""The trainer: Detectron2's loop and hooks around `TrainStep`, resumable at any checkpoint with the same numbers."""

import inspect
import logging
import time
import weakref
from collections import OrderedDict
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import torch
from detectron2.config import CfgNode
from detectron2.engine import TrainerBase, hooks
from detectron2.evaluation import verify_results
from detectron2.modeling import build_model
from detectron2.utils import comm
from detectron2.utils.events import CommonMetricPrinter, EventWriter, JSONWriter, TensorboardXWriter, get_event_storage
from torch import nn
from torch.nn.parallel import DistributedDataParallel

from vis_projects.data import DatasetError, build_vis_train_loader
from vis_projects.engine.checkpointer import VISCheckpointer
from vis_projects.engine.errors import DataError, last_line
from vis_projects.engine.model_facts import ModelFacts
from vis_projects.engine.optimizer import build_vis_lr_scheduler, build_vis_optimizer
from vis_projects.engine.schedule import BatchPlan
from vis_projects.engine.evaluation_loop import evaluate_datasets
from vis_projects.engine.tracker_choice import load_tracker_network
from vis_projects.engine.train_step import TrainStep

logger = logging.getLogger(__name__)

WRITE_PERIOD_ITERS = 20  # as often as Detectron2's own trainer reports


class VISTrainer(TrainerBase):
    """Trains and evaluates any model of META_ARCH_REGISTRY on video data.

    Same config and seed: same losses, whatever DATALOADER.NUM_WORKERS is and wherever a run was interrupted and
    resumed. SOLVER.IMS_PER_BATCH is the batch of one optimizer step over all processes and accumulation steps.

    Attributes:
        model: wrapped in DistributedDataParallel when there are several processes.
        start_iter, max_iter: iterations to run, [start_iter, max_iter).
    """

    def __init__(self, cfg: CfgNode) -> None:
        """
        Args:
            cfg: resolved config, as `setup` returns it.
        """
        super().__init__()
        self.cfg = cfg
        self.seed = cfg.SEED
        model = build_model(cfg)
        optimizer = build_vis_optimizer(cfg, model)
        self.model = distributed_model(model)
        plan = BatchPlan(cfg.SOLVER.IMS_PER_BATCH, cfg.SOLVER.ACCUM_ITERS, comm.get_world_size())
        self.train_step = TrainStep(
            self.model, optimizer, plan, rank=comm.get_rank(), seed=self.seed,
            clip_total_norm=cfg.SOLVER.CLIP_TOTAL_NORM, amp=_amp(cfg),
        )
        self.start_iter, self.max_iter = 0, cfg.SOLVER.MAX_ITER
        self.checkpointer = VISCheckpointer(
            self.model, cfg.OUTPUT_DIR, min_matched=cfg.MODEL.VIS.LOAD_MIN_MATCHED,
            trainer=weakref.proxy(self), facts=ModelFacts.from_cfg(cfg),
        )
        self._batches = None
        self._last_results: OrderedDict = OrderedDict()
        self.register_hooks(self._build_hooks(build_vis_lr_scheduler(cfg, optimizer)))

    def _build_hooks(self, scheduler: Any) -> list:
        cfg, main = self.cfg, comm.is_main_process()
        built = [hooks.IterationTimer(), hooks.LRScheduler(self.train_step.optimizer, scheduler)]
        if main:
            built.append(hooks.PeriodicCheckpointer(self.checkpointer, cfg.SOLVER.CHECKPOINT_PERIOD))
        if cfg.DATASETS.TEST:
            built.append(hooks.EvalHook(cfg.TEST.EVAL_PERIOD, self._evaluate))
        if main:
            built.append(hooks.PeriodicWriter(self._build_writers(), period=WRITE_PERIOD_ITERS))
        return built

    def _build_writers(self) -> list[EventWriter]:
        Path(self.cfg.OUTPUT_DIR).mkdir(parents=True, exist_ok=True)
        writers = [CommonMetricPrinter(self.max_iter), JSONWriter(str(Path(self.cfg.OUTPUT_DIR) / "metrics.json"))]
        if find_spec("tensorboard") is not None:
            writers.append(TensorboardXWriter(self.cfg.OUTPUT_DIR))
        return writers

    def _evaluate(self) -> OrderedDict:
        share_buffers(self.model)
        self._last_results = self.test(self.cfg, unwrapped(self.model))
        return self._last_results

    def resume_or_load(self, resume: bool = True) -> None:
        """Loads the last checkpoint of OUTPUT_DIR if `resume` and there is one, else MODEL.WEIGHTS.

        Raises:
            CheckpointError: the file is missing, unsafe or of another model.
        """
        found = resume and self.checkpointer.has_checkpoint()
        if found or self.cfg.MODEL.WEIGHTS:
            self.checkpointer.resume_or_load(self.cfg.MODEL.WEIGHTS, resume=resume)
        else:
            logger.info("MODEL.WEIGHTS is empty: training from scratch")
        load_tracker_network(self.cfg, unwrapped(self.model))
        if found:
            self.start_iter = self.iter + 1
            logger.info(f"resuming at iteration {self.start_iter} of {self.max_iter}")

    def train(self) -> OrderedDict:
        """Runs the training.

        Returns:
            results of the last evaluation, empty without DATASETS.TEST.
        """
        super().train(self.start_iter, self.max_iter)
        if self.cfg.TEST.EXPECTED_RESULTS and comm.is_main_process():
            verify_results(self.cfg, self._last_results)
        return self._last_results

    def run_step(self) -> None:
        """One iteration; called by the loop of `TrainerBase`."""
        if self._batches is None:
            self.model.train()
            self._batches = TimedIterator(
                build_vis_train_loader(self.cfg, start_iter=self.iter, seed=self.seed)
            )
        try:
            metrics = self.train_step(self.iter, self._batches, after_backward=self.after_backward)
        except DatasetError as error:
            raise DataError(f"iteration {self.iter}: {last_line(error)}") from error
        write_metrics({**metrics, "data_time": self._batches.take_seconds()})

    def state_dict(self) -> dict[str, Any]:
        """Everything but the weights that a resumed run needs."""
        state = super().state_dict()
        state["optimizer"] = self.train_step.optimizer.state_dict()
        state["grad_scaler"] = self.train_step.scaler.state_dict()
        state["seed"] = self.seed
        return state

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Takes over what `state_dict` gave."""
        super().load_state_dict(state_dict)
        self.train_step.optimizer.load_state_dict(state_dict["optimizer"])
        self.train_step.scaler.load_state_dict(state_dict["grad_scaler"])
        # the order of the data and all random draws go on with the seed that they started with
        self.seed = self.train_step.seed = state_dict["seed"]

    @classmethod
    def test(cls, cfg: CfgNode, model: nn.Module, *, resume: bool = False) -> OrderedDict:
        """Evaluates on each set of DATASETS.TEST; see `evaluate_datasets`."""
        return evaluate_datasets(cfg, model, resume=resume)

    @classmethod
    def evaluate(cls, cfg: CfgNode, *, resume: bool = False) -> OrderedDict:
        """Builds the model, loads MODEL.WEIGHTS whole, evaluates on DATASETS.TEST: what --eval-only does.

        Args:
            cfg: resolved config.
            resume: keep the videos that an interrupted evaluation of the same weights has finished.
        """
        model = build_model(cfg)
        load_for_inference(cfg, model)
        results = cls.test(cfg, model, resume=resume)
        if cfg.TEST.EXPECTED_RESULTS and comm.is_main_process():
            verify_results(cfg, results)
        return results


def load_for_inference(cfg: CfgNode, model: nn.Module) -> None:
    """Fills a model from MODEL.WEIGHTS, which must hold all of it unless MODEL.VIS.LOAD_MIN_MATCHED is 0, and the
    network of its tracker from MODEL.VIS.TRACKER.WEIGHTS.

    Raises:
        CheckpointError: the file is missing, unsafe or of another model.
    """
    load_tracker_network(cfg, model)
    if not cfg.MODEL.WEIGHTS:
        logger.warning("MODEL.WEIGHTS is empty: the model runs with random weights")
        return
    VISCheckpointer(model, min_matched=1.0 if cfg.MODEL.VIS.LOAD_MIN_MATCHED > 0 else 0.0).load(
        cfg.MODEL.WEIGHTS, checkpointables=[]
    )


def distributed_model(model: nn.Module) -> nn.Module:
    """The model itself in a single process, else wrapped so that gradients are averaged over processes."""
    if comm.get_world_size() == 1:
        return model
    on_gpu = next(model.parameters()).device.type == "cuda"
    # buffers are shared before an evaluation, not before each forward pass; newer torch has another name for that
    parameters = inspect.signature(DistributedDataParallel).parameters
    sync_buffers = "forward_sync_buffers" if "forward_sync_buffers" in parameters else "broadcast_buffers"
    # a CPU module must not get device ids, which Detectron2's own trainer always gives
    device_ids = [comm.get_local_rank()] if on_gpu else None
    return DistributedDataParallel(model, device_ids=device_ids, **{sync_buffers: False})


def share_buffers(model: nn.Module) -> None:
    """Gives every process the buffers (batch norm statistics) of the main one, which are those that are saved."""
    if comm.get_world_size() > 1:
        for buffer in model.buffers():
            torch.distributed.broadcast(buffer, 0)


def unwrapped(model: nn.Module) -> nn.Module:
    """The model inside a DistributedDataParallel wrapper, or the model itself."""
    return model.module if isinstance(model, DistributedDataParallel) else model


def write_metrics(metrics: dict[str, float]) -> None:
    """Puts metrics averaged over processes, and the slowest process's `data_time`, into the event storage."""
    gathered = comm.gather(metrics)
    if not comm.is_main_process():
        return
    storage = get_event_storage()
    storage.put_scalar("data_time", max(m["data_time"] for m in gathered))
    mean = {k: sum(m[k] for m in gathered) / len(gathered) for k in gathered[0] if k != "data_time"}
    storage.put_scalar("total_loss", mean.pop("total_loss"))
    if mean:
        storage.put_scalars(**mean)


class TimedIterator:
    """An iterator that knows for how long `next` kept its caller waiting."""

    def __init__(self, iterable: Any) -> None:
        self._iterator = iter(iterable)
        self._seconds = 0.0

    def __iter__(self) -> "TimedIterator":
        return self

    def __next__(self) -> Any:
        start = time.perf_counter()
        try:
            return next(self._iterator)
        finally:
            self._seconds += time.perf_counter() - start

    def take_seconds(self) -> float:
        """Seconds waited since the last call."""
        seconds, self._seconds = self._seconds, 0.0
        return seconds


def _amp(cfg: CfgNode) -> bool:
    if cfg.SOLVER.AMP.ENABLED and not cfg.MODEL.DEVICE.startswith("cuda"):
        logger.warning("SOLVER.AMP.ENABLED needs CUDA: training in float32 on the CPU")
        return False
    return cfg.SOLVER.AMP.ENABLED
