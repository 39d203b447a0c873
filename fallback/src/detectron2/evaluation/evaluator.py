"""The evaluator protocol and the loop that runs a model over a data set."""

import datetime
import logging
import time
from collections import OrderedDict
from contextlib import ExitStack, contextmanager

import torch
from torch import nn

from detectron2.utils.comm import get_world_size, is_main_process
from detectron2.utils.logger import log_every_n_seconds

_WARMUP = 5  # the first batches are slow and left out of the averages
_SLOW_SECONDS = 5  # a batch slower than this is reported from the first one on
_PHASES = ("data", "compute", "eval")


class DatasetEvaluator:
    """Accumulates a model's outputs over a data set; ``process`` is called per batch, ``evaluate`` at the end."""

    def reset(self):
        """Forget everything; called before a round of evaluation."""

    def process(self, inputs, outputs):
        """Take one batch: the model's inputs (list of dicts) and its outputs for them."""

    def evaluate(self):
        """
        Returns:
            dict from task to dict of metric to float, on the main process; None elsewhere.
        """


class DatasetEvaluators(DatasetEvaluator):
    """Several evaluators as one; their results must not share a key (AssertionError)."""

    def __init__(self, evaluators):
        self._evaluators = evaluators

    def reset(self):
        for member in self._evaluators:
            member.reset()

    def process(self, inputs, outputs):
        for member in self._evaluators:
            member.process(inputs, outputs)

    def evaluate(self):
        # every member takes part, since evaluation may need all processes; only the main one has results
        found = [member.evaluate() for member in self._evaluators]
        merged = OrderedDict()
        for result in found if is_main_process() else ():
            shared = merged.keys() & (result or {}).keys()
            assert not shared, f"two evaluators give results for {sorted(shared)}"
            merged.update(result or {})
        return merged


class _Stopwatch:
    """Seconds spent per phase after the warm-up."""

    def __init__(self):
        self.restart()

    def restart(self) -> None:
        self.start = time.perf_counter()
        self.seconds = dict.fromkeys(_PHASES, 0.0)

    @contextmanager
    def measure(self, phase: str):
        begin = time.perf_counter()
        yield
        self.seconds[phase] += time.perf_counter() - begin

    def elapsed(self) -> float:
        return time.perf_counter() - self.start


def inference_on_dataset(model, data_loader, evaluator, callbacks=None):
    """Run the model over the loader without gradients and in eval mode, and evaluate.

    Args:
        model: callable on what the loader yields; a module is put back in its mode afterwards.
        data_loader: iterable with a length.
        evaluator: DatasetEvaluator, a list of them, or None to only run the model.
        callbacks: functions without arguments by "on_start", "before_inference", "after_inference", "on_end".

    Returns:
        What ``evaluator.evaluate()`` returns, {} for None.
    """
    logger = logging.getLogger(__name__)
    total = len(data_loader)
    logger.info("Start inference on %d batches", total)
    if evaluator is None:
        evaluator = DatasetEvaluators([])
    elif isinstance(evaluator, (list, tuple)):
        evaluator = DatasetEvaluators(evaluator)
    evaluator.reset()
    callbacks = callbacks or {}

    def notify(event: str) -> None:
        callbacks.get(event, lambda: None)()

    warmup = min(_WARMUP, total - 1)
    watch = _Stopwatch()
    with ExitStack() as stack:
        if isinstance(model, nn.Module):
            stack.enter_context(inference_context(model))
        stack.enter_context(torch.no_grad())
        notify("on_start")
        batches = iter(data_loader)
        for index in range(total):
            if index == warmup:
                watch.restart()
            with watch.measure("data"):
                inputs = next(batches, None)
            if inputs is None:
                break
            notify("before_inference")
            with watch.measure("compute"):
                outputs = model(inputs)
                if torch.cuda.is_available():
                    torch.cuda.synchronize()
            notify("after_inference")
            with watch.measure("eval"):
                evaluator.process(inputs, outputs)
            counted = (index + 1) - warmup * (index >= warmup)
            if index >= 2 * warmup or watch.seconds["compute"] > _SLOW_SECONDS * counted:
                _report_progress(watch, index + 1, total, counted)
        notify("on_end")
    _report_total(logger, watch, max(total - warmup, 1))
    # evaluation gives None on all but the main process
    results = evaluator.evaluate()
    return {} if results is None else results


def _report_progress(watch: _Stopwatch, done: int, total: int, counted: int) -> None:
    per_batch = watch.elapsed() / counted
    parts = {phase: seconds / counted for phase, seconds in watch.seconds.items()}
    eta = datetime.timedelta(seconds=int(per_batch * (total - done)))
    log_every_n_seconds(
        logging.INFO,
        f"Inference done {done}/{total}. Dataloading: {parts['data']:.4f} s/iter. "
        f"Inference: {parts['compute']:.4f} s/iter. Eval: {parts['eval']:.4f} s/iter. "
        f"Total: {per_batch:.4f} s/iter. ETA={eta}",
        n=5,
        name=__name__,
    )


def _report_total(logger, watch: _Stopwatch, counted: int) -> None:
    devices = get_world_size()
    for label, seconds in (("", watch.elapsed()), ("pure compute ", watch.seconds["compute"])):
        logger.info(
            "Total inference %stime: %s (%.6f s / iter per device, on %d devices)",
            label,
            datetime.timedelta(seconds=int(seconds)),
            seconds / counted,
            devices,
        )


@contextmanager
def inference_context(model):
    """Eval mode inside, the model's former training flag afterwards."""
    was_training = model.training
    model.eval()
    yield
    model.train(was_training)
