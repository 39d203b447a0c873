"""Learning rates: a multiplier of the base rate that fvcore's schedulers give by the part of the training done."""

from fvcore.common.param_scheduler import (
    CompositeParamScheduler,
    ConstantParamScheduler,
    LinearParamScheduler,
    ParamScheduler,
)
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LRScheduler

from detectron2._impl.placeholders import placeholder_getattr

__all__ = ["LRMultiplier", "LRScheduler", "WarmupParamScheduler"]

__getattr__ = placeholder_getattr(__name__, ("WarmupCosineLR", "WarmupMultiStepLR"))


class WarmupParamScheduler(CompositeParamScheduler):
    """A schedule with a warm-up in front.

    Args:
        scheduler: fvcore schedule over 0..1.
        warmup_factor: first value, as a factor of the schedule's first value.
        warmup_length: part of the training, in 0..1, that the warm-up takes.
        warmup_method: "linear" to the value where the schedule takes over, or "constant" (ValueError for others).
        rescale_interval: squeeze the schedule into the time after the warm-up, instead of hiding its beginning.
    """

    def __init__(
        self, scheduler: ParamScheduler, warmup_factor: float, warmup_length: float,
        warmup_method: str = "linear", rescale_interval: bool = False,
    ):
        first = warmup_factor * scheduler(0.0)
        if warmup_method == "constant":
            warmup = ConstantParamScheduler(first)
        elif warmup_method == "linear":
            warmup = LinearParamScheduler(first, scheduler(0.0 if rescale_interval else warmup_length))
        else:
            raise ValueError(f"warmup_method (SOLVER.WARMUP_METHOD) is 'linear' or 'constant', not {warmup_method!r}")
        super().__init__(
            schedulers=[warmup, scheduler],
            lengths=[warmup_length, 1 - warmup_length],
            interval_scaling=["rescaled", "rescaled" if rescale_interval else "fixed"],
        )


class LRMultiplier(LRScheduler):
    """A torch scheduler that multiplies the base rate of each parameter group by an fvcore schedule.

    Args:
        optimizer: torch optimizer.
        multiplier: fvcore schedule over 0..1 (ValueError otherwise).
        max_iter: number of iterations of the training; call ``step()`` once in each.
        last_iter: last iteration done, -1 for a new training.
    """

    def __init__(self, optimizer: Optimizer, multiplier: ParamScheduler, max_iter: int, last_iter: int = -1):
        if not isinstance(multiplier, ParamScheduler):
            raise ValueError(f"LRMultiplier needs an fvcore ParamScheduler, not {multiplier!r}")
        self._multiplier = multiplier
        self._max_iter = max_iter
        super().__init__(optimizer, last_epoch=last_iter)

    def state_dict(self):
        """Return the state for a checkpoint; the schedule itself comes from the config."""
        return {"base_lrs": self.base_lrs, "last_epoch": self.last_epoch}

    def get_lr(self) -> list[float]:
        """Return the rate of each parameter group at the current iteration."""
        factor = self._multiplier(self.last_epoch / self._max_iter)
        return [rate * factor for rate in self.base_lrs]
