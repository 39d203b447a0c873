"""The training loop, its hooks, and the plain and mixed-precision steps."""

import concurrent.futures
import contextlib
import logging
import time
import weakref
from collections.abc import Mapping

import numpy as np
import torch
from torch.nn.parallel import DataParallel, DistributedDataParallel

from detectron2.utils import comm
from detectron2.utils.events import EventStorage, get_event_storage

__all__ = ["HookBase", "TrainerBase", "SimpleTrainer", "AMPTrainer"]


class HookBase:
    """What can be done around training and around each step; ``trainer`` is a weak proxy of the trainer."""

    trainer: "TrainerBase" = None

    def before_train(self):
        """Called once before the first iteration."""

    def after_train(self):
        """Called once after the last iteration, also when training ends in an exception."""

    def before_step(self):
        """Called before each iteration."""

    def after_backward(self):
        """Called between backward and the optimizer's step."""

    def after_step(self):
        """Called after each iteration."""

    def state_dict(self):
        return {}


class TrainerBase:
    """Runs ``run_step`` from ``start_iter`` up to ``max_iter`` with hooks around it.

    Attributes:
        iter: the current iteration. storage: the EventStorage open during training.
    """

    def __init__(self) -> None:
        self._hooks: list[HookBase] = []
        self.iter: int = 0
        self.start_iter: int = 0

    def register_hooks(self, hooks: list[HookBase | None]) -> None:
        """Append hooks, which run in order; None entries are left out."""
        present = [hook for hook in hooks if hook is not None]
        for hook in present:
            assert isinstance(hook, HookBase), hook
            hook.trainer = weakref.proxy(self)  # no reference cycle between trainer and hook
        self._hooks += present

    def train(self, start_iter: int, max_iter: int):
        """Train from ``start_iter`` (included) to ``max_iter`` (excluded)."""
        logger = logging.getLogger(__name__)
        logger.info("Starting training from iteration %d", start_iter)
        self.start_iter = self.iter = start_iter
        self.max_iter = max_iter
        with EventStorage(start_iter) as self.storage:
            try:
                self._loop()
            except Exception:
                logger.exception("Exception during training:")
                raise
            finally:
                self.after_train()

    def _loop(self) -> None:
        self.before_train()
        while self.iter < self.max_iter:
            for part in (self.before_step, self.run_step, self.after_step):
                part()
            self.iter += 1

    def _each(self, event: str) -> None:
        for hook in self._hooks:
            getattr(hook, event)()

    def before_train(self):
        self._each("before_train")

    def after_train(self):
        self.storage.iter = self.iter
        self._each("after_train")

    def before_step(self):
        self.storage.iter = self.iter  # writers and hooks must agree on the number of this step
        self._each("before_step")

    def after_backward(self):
        self._each("after_backward")

    def after_step(self):
        self._each("after_step")

    def run_step(self):
        raise NotImplementedError

    def state_dict(self):
        states = {type(hook).__qualname__: hook.state_dict() for hook in self._hooks}
        states = {name: state for name, state in states.items() if state}
        return {"iteration": self.iter, **({"hooks": states} if states else {})}

    def load_state_dict(self, state_dict):
        self.iter = state_dict["iteration"]
        for name, state in state_dict.get("hooks", {}).items():
            owner = next((hook for hook in self._hooks if type(hook).__qualname__ == name), None)
            if owner is None:
                logging.getLogger(__name__).warning("Cannot find the hook '%s', its state_dict is ignored.", name)
            else:
                owner.load_state_dict(state)


class SimpleTrainer(TrainerBase):
    """One model, one loader, one optimizer: forward, backward and step on the sum of a dict of losses."""

    def __init__(
        self, model, data_loader, optimizer, gather_metric_period=1, zero_grad_before_forward=False,
        async_write_metrics=False,
    ):
        """
        Args:
            model: takes what the loader yields, returns a dict of losses or one loss.
            data_loader: iterable, asked for its iterator once, on the first step.
            gather_metric_period: losses are gathered over processes every that many iterations.
            zero_grad_before_forward: clear gradients before the forward pass instead of before backward.
            async_write_metrics: write metrics in a thread of their own.
        """
        super().__init__()
        model.train()
        self.model = model
        self.data_loader = data_loader
        self._data_loader_iter_obj = None
        self.optimizer = optimizer
        self.gather_metric_period = gather_metric_period
        self.zero_grad_before_forward = zero_grad_before_forward
        self.async_write_metrics = async_write_metrics
        self.concurrent_executor = concurrent.futures.ThreadPoolExecutor(max_workers=1)

    @property
    def _data_loader_iter(self):
        if self._data_loader_iter_obj is None:
            self._data_loader_iter_obj = iter(self.data_loader)
        return self._data_loader_iter_obj

    def reset_data_loader(self, data_loader_builder):
        """Replace the loader by what ``data_loader_builder()`` gives; the old one is released first."""
        del self.data_loader
        self.data_loader = data_loader_builder()
        self._data_loader_iter_obj = None

    def run_step(self):
        self._check_ready()
        data, data_time = self._next_batch()
        if self.zero_grad_before_forward:
            self.optimizer.zero_grad()
        with self._precision_context():
            loss_dict, total = _named_losses(self.model(data))
        if not self.zero_grad_before_forward:
            self.optimizer.zero_grad()
        self._backward(total)
        self.after_backward()
        self._record(loss_dict, data_time)
        self._update()

    def _precision_context(self):
        return contextlib.nullcontext()

    def _backward(self, total: torch.Tensor) -> None:
        total.backward()

    def _update(self) -> None:
        self.optimizer.step()

    def _check_ready(self) -> None:
        assert self.model.training, f"[{type(self).__name__}] model was changed to eval mode!"

    def _next_batch(self):
        begin = time.perf_counter()
        data = next(self._data_loader_iter)
        return data, time.perf_counter() - begin

    def _record(self, loss_dict, data_time: float) -> None:
        if self.async_write_metrics:
            self.concurrent_executor.submit(self._write_metrics, loss_dict, data_time, iter=self.iter)
        else:
            self._write_metrics(loss_dict, data_time)

    def _write_metrics(
        self, loss_dict: Mapping[str, torch.Tensor], data_time: float, prefix: str = "", iter: int | None = None
    ) -> None:
        step = self.iter if iter is None else iter
        if (step + 1) % self.gather_metric_period == 0:
            try:
                SimpleTrainer.write_metrics(loss_dict, data_time, step, prefix)
            except Exception:
                # raised in the metrics thread it would vanish with its future
                logging.getLogger(__name__).exception("Exception in writing metrics:")
                raise

    @staticmethod
    def write_metrics(
        loss_dict: Mapping[str, torch.Tensor], data_time: float, cur_iter: int, prefix: str = ""
    ) -> None:
        """Average losses over processes and store them, on rank 0; the slowest process gives ``data_time``.

        Raises:
            FloatingPointError: the sum of the losses is infinite or NaN.
        """
        mine = {name: loss.detach().cpu().item() for name, loss in loss_dict.items()}
        everyone = comm.gather({**mine, "data_time": data_time})
        if not comm.is_main_process():
            return
        storage = get_event_storage()
        storage.put_scalar("rank_data_time", data_time, cur_iter=cur_iter)
        storage.put_scalar("data_time", np.max([metrics["data_time"] for metrics in everyone]), cur_iter=cur_iter)
        means = {name: np.mean([metrics[name] for metrics in everyone]) for name in mine}
        total = sum(means.values())
        if not np.isfinite(total):
            raise FloatingPointError(f"The loss is infinite or NaN at iteration={cur_iter}: {means}")
        stored = {f"{prefix}total_loss": total, **(means if len(means) > 1 else {})}
        storage.put_scalars(cur_iter=cur_iter, **stored)

    def state_dict(self):
        return {**super().state_dict(), "optimizer": self.optimizer.state_dict()}

    def load_state_dict(self, state_dict):
        super().load_state_dict(state_dict)
        self.optimizer.load_state_dict(state_dict["optimizer"])

    def after_train(self):
        super().after_train()
        self.concurrent_executor.shutdown(wait=True)


class AMPTrainer(SimpleTrainer):
    """SimpleTrainer under autocast with a gradient scaler; CUDA only."""

    def __init__(
        self, model, data_loader, optimizer, gather_metric_period=1, zero_grad_before_forward=False,
        grad_scaler=None, precision: torch.dtype = torch.float16, log_grad_scaler: bool = False,
        async_write_metrics=False,
    ):
        several_devices = "AMPTrainer drives one device per process: wrap the model in DistributedDataParallel"
        if isinstance(model, DistributedDataParallel):
            assert not (model.device_ids and len(model.device_ids) > 1), several_devices
        assert not isinstance(model, DataParallel), several_devices
        super().__init__(
            model, data_loader, optimizer, gather_metric_period, zero_grad_before_forward, async_write_metrics
        )
        self.grad_scaler = torch.amp.GradScaler("cuda") if grad_scaler is None else grad_scaler
        self.precision = precision
        self.log_grad_scaler = log_grad_scaler

    def _check_ready(self) -> None:
        super()._check_ready()
        assert torch.cuda.is_available(), "[AMPTrainer] CUDA is required for AMP training!"

    def _precision_context(self):
        return torch.autocast("cuda", dtype=self.precision)

    def _backward(self, total: torch.Tensor) -> None:
        self.grad_scaler.scale(total).backward()
        if self.log_grad_scaler:
            get_event_storage().put_scalar("[metric]grad_scaler", self.grad_scaler.get_scale())

    def _update(self) -> None:
        self.grad_scaler.step(self.optimizer)
        self.grad_scaler.update()

    def state_dict(self):
        return {**super().state_dict(), "grad_scaler": self.grad_scaler.state_dict()}

    def load_state_dict(self, state_dict):
        super().load_state_dict(state_dict)
        self.grad_scaler.load_state_dict(state_dict["grad_scaler"])


def _named_losses(output):
    """(dict of losses, their sum) of a model that returns either a dict or one tensor."""
    if isinstance(output, torch.Tensor):
        return {"total_loss": output}, output
    return output, sum(output.values())
