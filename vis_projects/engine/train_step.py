"""One optimizer step: forward and backward of each part of the batch, mixed precision, clipping, update."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import torch
from torch import nn

from vis_projects.engine.schedule import BatchPlan
from vis_projects.engine.seeding import derive_seed, seed_all


class TrainStep:
    """Averages the gradients of the batch's parts and updates the model once.

    Every forward pass is seeded with (seed, iteration, part), so that random draws inside the model do not depend on
    how the batch is spread over processes, nor on where a run was resumed.
    """

    def __init__(
        self,
        model: nn.Module,
        optimizer: torch.optim.Optimizer,
        plan: BatchPlan,
        *,
        rank: int = 0,
        seed: int = 0,
        clip_total_norm: float = 0.0,
        amp: bool = False,
    ) -> None:
        """
        Args:
            model: list of training items -> dict of scalar losses; maybe wrapped in DistributedDataParallel.
            optimizer: over the model's parameters.
            plan: of the batch.
            rank: of this process.
            seed: of the run.
            clip_total_norm: largest L2 norm of the gradient of all parameters together; 0: not clipped.
            amp: float16 autocast with loss scaling, on CUDA.
        """
        self.model, self.optimizer, self.plan = model, optimizer, plan
        self.rank, self.seed, self.clip_total_norm, self.amp = rank, seed, clip_total_norm, amp
        self.scaler = torch.amp.GradScaler("cuda", enabled=amp)
        self.parameters = [p for group in optimizer.param_groups for p in group["params"]]

    def __call__(
        self, iteration: int, batches: Iterator[list[dict]], *, after_backward: Callable[[], Any] = lambda: None
    ) -> dict[str, float]:
        """Runs one step.

        Args:
            iteration: number of the step, for the seeds.
            batches: gives this process's parts of the batch, one `next` per accumulation step.
            after_backward: called once all gradients are there.

        Returns:
            each loss averaged over this process's parts, `total_loss`, and `grad_norm` (before clipping) if clipped.

        Raises:
            FloatingPointError: a loss is inf or nan; the parameters are then unchanged.
        """
        self.optimizer.zero_grad(set_to_none=True)
        metrics: dict[str, float] = {}
        for step in range(self.plan.accum_iters):
            items = next(batches)
            seed_all(derive_seed(self.seed, iteration, self.plan.part(step, self.rank)))
            losses = self._forward_backward(items, last=step == self.plan.accum_iters - 1)
            for name, value in self._checked(losses, iteration).items():
                metrics[name] = metrics.get(name, 0.0) + value / self.plan.accum_iters
        metrics["total_loss"] = sum(metrics.values())
        after_backward()
        metrics.update(self._update())
        return metrics

    def _forward_backward(self, items: list[dict], *, last: bool) -> dict[str, torch.Tensor]:
        with self._no_sync_unless(last), torch.autocast("cuda", enabled=self.amp):
            losses = self.model(items)
            total = sum(losses.values()) / self.plan.accum_iters
            self.scaler.scale(total).backward()
        return losses

    def _no_sync_unless(self, last: bool) -> AbstractContextManager:
        # gradients of the earlier parts stay local; the last backward pass reduces their sum
        return self.model.no_sync() if hasattr(self.model, "no_sync") and not last else nullcontext()

    def _checked(self, losses: dict[str, torch.Tensor], iteration: int) -> dict[str, float]:
        values = torch.stack([loss.detach().float() for loss in losses.values()]).tolist()
        named = dict(zip(losses, values))
        if not all(abs(value) < float("inf") for value in values):
            raise FloatingPointError(
                f"iteration {iteration}: a loss is inf or nan ({named}). Lower SOLVER.BASE_LR, warm up longer, or clip "
                "with SOLVER.CLIP_TOTAL_NORM; `vis check-data` looks for broken annotations"
            )
        return named

    def _update(self) -> dict[str, float]:
        metrics = {}
        if self.clip_total_norm > 0:
            self.scaler.unscale_(self.optimizer)
            metrics["grad_norm"] = float(nn.utils.clip_grad_norm_(self.parameters, self.clip_total_norm))
        self.scaler.step(self.optimizer)
        self.scaler.update()
        return metrics
