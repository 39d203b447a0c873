"""For tests of any method: the total loss of one item over a few steps of SGD."""

from collections.abc import Callable

import torch
from torch import Tensor, nn


def totals_of_steps(model: nn.Module, losses: Callable[[], dict[str, Tensor]], steps: int) -> list[float]:
    """The total before each step; the norm of the gradient is clipped, since dot products of embeddings run away."""
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01, momentum=0.9)
    totals = []
    for _ in range(steps):
        total = sum(losses().values())
        optimizer.zero_grad(), total.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 5.0)
        optimizer.step()
        totals.append(total.item())
    return totals
