"""Which object of one frame is which of another, by identity."""

import torch
from torch import Tensor


def positions_of(ids: Tensor, others: Tensor) -> Tensor:
    """Where each of `ids` stands in `others`.

    Args:
        ids: (n,) int64 identities of one frame's objects.
        others: (m,) int64 identities of another frame's objects.

    Returns:
        int64 (n,): position in `others`, the first one, or -1 if it is not there.
    """
    if others.numel() == 0:
        return torch.full_like(ids, -1)
    found, position = (ids[:, None] == others[None, :]).max(dim=1)
    return torch.where(found, position, -1)
