"""Hooks: timing, writing, checkpoints, learning rate, evaluation, precise batch norm statistics, memory."""

import datetime
import logging
import math
import operator
import time
from collections import Counter

import torch
from fvcore.common.checkpoint import Checkpointer
from fvcore.common.checkpoint import PeriodicCheckpointer as _PeriodicCheckpointer
from fvcore.common.param_scheduler import ParamScheduler
from fvcore.common.timer import Timer

from detectron2._impl.placeholders import placeholder_getattr
from detectron2.engine.train_loop import HookBase
from detectron2.evaluation.testing import flatten_results_dict
from detectron2.solver import LRMultiplier
from detectron2.utils import comm
from detectron2.utils.events import EventStorage, EventWriter

__all__ = [
    "CallbackHook",
    "IterationTimer",
    "PeriodicWriter",
    "PeriodicCheckpointer",
    "BestCheckpointer",
    "LRScheduler",
    "EvalHook",
    "PreciseBN",
    "TorchMemoryStats",
]
__getattr__ = placeholder_getattr(__name__, ("AutogradProfiler", "TorchProfiler"))


class CallbackHook(HookBase):
    """Calls plain functions, each with the trainer as its argument."""

    def __init__(self, *, before_train=None, after_train=None, before_step=None, after_step=None):
        self._callbacks = {
            "before_train": before_train,
            "after_train": after_train,
            "before_step": before_step,
            "after_step": after_step,
        }

    def _call(self, event: str) -> None:
        if self._callbacks[event] is not None:
            self._callbacks[event](self.trainer)

    def before_train(self):
        self._call("before_train")

    def after_train(self):
        self._call("after_train")
        self._callbacks = dict.fromkeys(self._callbacks)  # closures often hold the trainer

    def before_step(self):
        self._call("before_step")

    def after_step(self):
        self._call("after_step")


class IterationTimer(HookBase):
    """Stores the seconds of each iteration as "time" and logs a summary that leaves out the first iterations."""

    def __init__(self, warmup_iter=3):
        self._warmup_iter = warmup_iter
        self._step_timer, self._total_timer = Timer(), Timer()
        self._start_time = time.perf_counter()

    def before_train(self):
        self._start_time = time.perf_counter()
        self._total_timer.reset()
        self._total_timer.pause()

    def before_step(self):
        self._step_timer.reset()
        self._total_timer.resume()

    def after_step(self):
        done = self.trainer.storage.iter - self.trainer.start_iter + 1
        if done < self._warmup_iter:
            self._start_time = time.perf_counter()
            self._total_timer.reset()
        else:
            self.trainer.storage.put_scalars(time=self._step_timer.seconds())
        self._total_timer.pause()

    def after_train(self):
        logger = logging.getLogger(__name__)
        whole = time.perf_counter() - self._start_time
        in_steps = self._total_timer.seconds()
        counted = self.trainer.storage.iter + 1 - self.trainer.start_iter - self._warmup_iter
        if counted > 0 and in_steps > 0:
            logger.info(
                "Overall training speed: %d iterations in %s (%.4f s / it)",
                counted,
                _clock(in_steps),
                in_steps / counted,
            )
        logger.info("Total training time: %s (%s on hooks)", _clock(whole), _clock(whole - in_steps))


class PeriodicWriter(HookBase):
    """Calls ``write()`` of each writer every ``period`` iterations and at the end, then closes them."""

    def __init__(self, writers, period=20):
        for writer in writers:
            assert isinstance(writer, EventWriter), writer
        self._writers = writers
        self._period = period

    def after_step(self):
        following = self.trainer.iter + 1
        if following % self._period == 0 or following == self.trainer.max_iter:
            self._write()

    def after_train(self):
        self._write()  # later hooks may have stored results since the last step
        for writer in self._writers:
            writer.close()

    def _write(self) -> None:
        for writer in self._writers:
            writer.write()


class PeriodicCheckpointer(_PeriodicCheckpointer, HookBase):
    """fvcore's periodic checkpointer as a hook."""

    def before_train(self):
        self.max_iter = self.trainer.max_iter

    def after_step(self):
        self.step(self.trainer.iter)


class BestCheckpointer(HookBase):
    """Keeps the checkpoint of the best value of one stored metric; register it behind EvalHook."""

    def __init__(
        self, eval_period: int, checkpointer: Checkpointer, val_metric: str, mode: str = "max",
        file_prefix: str = "model_best",
    ) -> None:
        """
        Args:
            eval_period: the period of the EvalHook.
            val_metric: a key of the storage, such as "segm/AP".
            mode: "max" or "min" is better (else AssertionError).
            file_prefix: checkpoint name without its ending.
        """
        assert mode in ("max", "min"), (
            f'Mode "{mode}" to `BestCheckpointer` is unknown. It should be one of (\'max\', \'min\').'
        )
        self._period = eval_period
        self._val_metric = val_metric
        self._compare = operator.gt if mode == "max" else operator.lt
        self._checkpointer = checkpointer
        self._file_prefix = file_prefix
        self.best_metric = None
        self.best_iter = None

    def _update_best(self, val, iteration):
        if not math.isfinite(val):
            return False
        self.best_metric, self.best_iter = val, iteration
        return True

    def _best_checking(self):
        logger = logging.getLogger(__name__)
        value, iteration = self.trainer.storage.latest().get(self._val_metric, (None, None))
        if value is None:
            logger.warning(
                "Given val metric %s does not seem to be computed/stored."
                "Will not be checkpointing based on it.",
                self._val_metric,
            )
            return
        previous, at = self.best_metric, self.best_iter
        if previous is not None and not self._compare(value, previous):
            logger.info(
                "Not saving as latest eval score for %s is %.5f, not better than best score %.5f @ iteration %s.",
                self._val_metric, value, previous, at,
            )
            return
        if self._update_best(value, iteration):
            self._checkpointer.save(self._file_prefix, iteration=iteration)
            logger.info("Saved best model: %s %.5f @ iteration %s (before: %s @ %s)",
                        self._val_metric, value, iteration, previous, at)

    def after_step(self):
        following = self.trainer.iter + 1
        if self._period > 0 and following % self._period == 0 and following != self.trainer.max_iter:
            self._best_checking()

    def after_train(self):
        if self.trainer.iter + 1 >= self.trainer.max_iter:
            self._best_checking()


class LRScheduler(HookBase):
    """Steps a scheduler after every iteration and stores the rate as "lr"."""

    def __init__(self, optimizer=None, scheduler=None):
        """
        Args:
            optimizer: taken from the trainer when None.
            scheduler: a torch scheduler, or a fvcore ParamScheduler of multipliers of the optimizer's rates.
        """
        self._optimizer = optimizer
        self._scheduler = scheduler

    def before_train(self):
        self._optimizer = self._optimizer or self.trainer.optimizer
        if isinstance(self.scheduler, ParamScheduler):
            self._scheduler = LRMultiplier(
                self._optimizer, self.scheduler, self.trainer.max_iter, last_iter=self.trainer.iter - 1
            )
        self._best_param_group_id = LRScheduler.get_best_param_group_id(self._optimizer)

    @staticmethod
    def get_best_param_group_id(optimizer):
        """Index of the group whose rate is worth showing: with most parameters, or of the commonest rate."""
        groups = optimizer.param_groups
        largest = max(len(group["params"]) for group in groups)
        if largest == 1:  # one parameter a group: sizes say nothing
            commonest = Counter(group["lr"] for group in groups).most_common(1)[0][0]
            return next(i for i, group in enumerate(groups) if group["lr"] == commonest)
        return next(i for i, group in enumerate(groups) if len(group["params"]) == largest)

    def after_step(self):
        rate = self._optimizer.param_groups[self._best_param_group_id]["lr"]
        self.trainer.storage.put_scalar("lr", rate, smoothing_hint=False)
        self.scheduler.step()

    @property
    def scheduler(self):
        return self._scheduler or self.trainer.scheduler

    def state_dict(self):
        return self.scheduler.state_dict() if isinstance(self.scheduler, torch.optim.lr_scheduler.LRScheduler) else {}

    def load_state_dict(self, state_dict):
        if isinstance(self.scheduler, torch.optim.lr_scheduler.LRScheduler):
            logging.getLogger(__name__).info("Loading scheduler from state_dict ...")
            self.scheduler.load_state_dict(state_dict)


class EvalHook(HookBase):
    """Runs an evaluation every ``eval_period`` iterations (0: never) and after the last one."""

    def __init__(self, eval_period, eval_function, eval_after_train=True):
        self._period = eval_period
        self._func = eval_function
        self._eval_after_train = eval_after_train

    def _do_eval(self):
        results = self._func()
        if results:
            assert isinstance(results, dict), f"Eval function must return a dict. Got {results} instead."
            flat = flatten_results_dict(results)
            for name, value in flat.items():
                try:
                    flat[name] = float(value)
                except (TypeError, ValueError) as error:
                    raise ValueError(
                        "[EvalHook] eval_function should return a nested dict of float. "
                        f"Got '{name}: {value}' instead."
                    ) from error
            self.trainer.storage.put_scalars(**flat, smoothing_hint=False)
        comm.synchronize()  # evaluation may take unequally long per process

    def after_step(self):
        following = self.trainer.iter + 1
        # the evaluation after the last iteration is after_train's
        if self._period > 0 and following % self._period == 0 and following != self.trainer.max_iter:
            self._do_eval()

    def after_train(self):
        if self._eval_after_train and self.trainer.iter + 1 >= self.trainer.max_iter:
            self._do_eval()
        del self._func  # closures often hold the trainer


class PreciseBN(HookBase):
    """Replaces the running statistics of batch norm by true averages over ``num_iter`` batches."""

    def __init__(self, period, model, data_loader, num_iter):
        from fvcore.nn.precise_bn import get_bn_modules  # here: fvcore.nn compiles scripts when it is imported

        self._logger = logging.getLogger(__name__)
        self._disabled = not get_bn_modules(model)
        if self._disabled:
            self._logger.info("PreciseBN is disabled because model does not contain BN layers in training mode.")
        self._period = period
        self._model = model
        self._data_loader = data_loader
        self._num_iter = num_iter
        self._data_iter = None

    def after_step(self):
        following = self.trainer.iter + 1
        if following == self.trainer.max_iter or (self._period > 0 and following % self._period == 0):
            self.update_stats()

    def update_stats(self):
        """Run the batches and update the statistics."""
        if self._disabled:
            return
        from fvcore.nn.precise_bn import update_bn_stats

        if self._data_iter is None:
            self._data_iter = iter(self._data_loader)
        self._logger.info("Running precise-BN for %d iterations ...", self._num_iter)
        with EventStorage():  # what the model logs here is no training metric
            update_bn_stats(self._model, iter(self._next_batch, None), self._num_iter)

    def _next_batch(self):
        return next(self._data_iter)


class TorchMemoryStats(HookBase):
    """Logs CUDA memory every ``period`` iterations, ``max_runs`` times; silent without CUDA."""

    def __init__(self, period=20, max_runs=10):
        self._logger = logging.getLogger(__name__)
        self._period = period
        self._max_runs = max_runs
        self._runs = 0

    def after_step(self):
        following = self.trainer.iter + 1
        if self._runs >= self._max_runs or not torch.cuda.is_available():
            return
        if following % self._period == 0 or following == self.trainer.max_iter:
            mib = {
                "reserved": torch.cuda.memory_reserved(),
                "max reserved": torch.cuda.max_memory_reserved(),
                "allocated": torch.cuda.memory_allocated(),
                "max allocated": torch.cuda.max_memory_allocated(),
            }
            text = ", ".join(f"{name} {size / 2**20:.0f} MiB" for name, size in mib.items())
            self._logger.info("iter %d: CUDA memory %s", self.trainer.iter, text)
            torch.cuda.reset_peak_memory_stats()
            self._runs += 1


def _clock(seconds: float) -> str:
    return str(datetime.timedelta(seconds=int(seconds)))
