"""Numbers that losses share between processes."""

import torch.distributed as dist
from detectron2.utils import comm
from torch import Tensor


def mean_over_processes(value: Tensor) -> Tensor:
    """The mean of a tensor over all processes, without gradient; the value itself where there is one process."""
    value = value.detach()
    if comm.get_world_size() == 1:
        return value
    total = value.clone()
    dist.all_reduce(total)
    return total / comm.get_world_size()
