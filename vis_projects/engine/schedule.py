"""Turns a schedule in epochs into one in iterations, and cuts a batch into its parts."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from vis_projects.engine.errors import ConfigError


def epochs_to_iterations(
    num_epochs: int, step_epochs: Sequence[int], items_per_epoch: int, items_per_batch: int
) -> tuple[int, tuple[int, ...]]:
    """Iterations for `num_epochs` and after each of `step_epochs`, rounded up.

    Args:
        num_epochs: length of the training.
        step_epochs: epochs after which the learning rate falls, ascending, below `num_epochs`.
        items_per_epoch: training items of an epoch (`count_train_items`).
        items_per_batch: items of one optimizer step, over all processes.

    Returns:
        (max_iter, steps).

    Raises:
        ConfigError: no items, or steps that are not ascending inside the training.
    """
    if items_per_epoch <= 0:
        raise ConfigError("DATASETS.TRAIN has no frame with an object: SOLVER.NUM_EPOCHS has nothing to count")
    inside = all(0 < step < num_epochs for step in step_epochs)
    if not inside or sorted(set(step_epochs)) != list(step_epochs):
        raise ConfigError(
            f"SOLVER.STEP_EPOCHS {tuple(step_epochs)} must ascend and lie inside SOLVER.NUM_EPOCHS {num_epochs}"
        )
    max_iter, *steps = (math.ceil(n * items_per_epoch / items_per_batch) for n in (num_epochs, *step_epochs))
    return max_iter, tuple(steps)


@dataclass(frozen=True)
class BatchPlan:
    """How the batch of one optimizer step is spread over processes and accumulation steps.

    Part k of the batch, k = step * world_size + rank, is what one process sees in one forward pass. So a batch is cut
    into the same parts by 2 processes and by 1 process with 2 accumulation steps.

    Attributes:
        items_per_step: items of the whole batch.
        accum_iters: forward passes of one process per optimizer step.
        world_size: processes.
    """

    items_per_step: int
    accum_iters: int = 1
    world_size: int = 1

    def __post_init__(self) -> None:
        if self.accum_iters < 1:
            raise ConfigError(f"SOLVER.ACCUM_ITERS is {self.accum_iters}; it is 1 (off) or more")
        if self.items_per_step % self.parts or self.items_per_step < 1:
            raise ConfigError(
                f"SOLVER.IMS_PER_BATCH {self.items_per_step} is the batch of one optimizer step and cannot be cut into "
                f"{self.world_size} processes x SOLVER.ACCUM_ITERS {self.accum_iters} equal parts; "
                f"use a multiple of {self.parts}"
            )

    @property
    def parts(self) -> int:
        """Parts that the batch is cut into."""
        return self.accum_iters * self.world_size

    @property
    def items_per_part(self) -> int:
        """Items of one forward pass."""
        return self.items_per_step // self.parts

    def part(self, step: int, rank: int) -> int:
        """Number of the part that process `rank` works on in accumulation step `step`."""
        return step * self.world_size + rank
