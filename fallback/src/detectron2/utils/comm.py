"""Communication between the processes of one training job; every function works without any process group."""

import functools

import numpy as np
import torch
import torch.distributed as dist

# Processes on this machine; set by create_local_process_group.
_LOCAL_PROCESS_GROUP = None


def _distributed() -> bool:
    return dist.is_available() and dist.is_initialized()


def get_world_size() -> int:
    """Number of processes."""
    return dist.get_world_size() if _distributed() else 1


def get_rank() -> int:
    """Number of this process, from 0."""
    return dist.get_rank() if _distributed() else 0


def create_local_process_group(num_workers_per_machine: int) -> None:
    """Make the group of the processes on one machine; every process must call it.

    Raises:
        AssertionError: the number of processes is not a multiple of the argument.
        ValueError: torch.distributed is not initialised.
    """
    global _LOCAL_PROCESS_GROUP
    total, size = dist.get_world_size(), num_workers_per_machine
    assert total % size == 0, f"{total} processes cannot be divided into machines of {size}"
    mine = dist.get_rank() // size
    for machine in range(total // size):
        # Each process takes part in making each group, also in those it does not belong to.
        group = dist.new_group(list(range(machine * size, (machine + 1) * size)))
        if machine == mine:
            _LOCAL_PROCESS_GROUP = group


def get_local_process_group():
    """Return the group of the processes on this machine; AssertionError when it was not made."""
    assert _LOCAL_PROCESS_GROUP is not None, (
        "no local process group: start with detectron2.engine.launch, or call create_local_process_group"
    )
    return _LOCAL_PROCESS_GROUP


def get_local_rank() -> int:
    """Number of this process on its machine, from 0."""
    return dist.get_rank(group=get_local_process_group()) if _distributed() else 0


def get_local_size() -> int:
    """Number of processes on this machine."""
    return dist.get_world_size(group=get_local_process_group()) if _distributed() else 1


def is_main_process() -> bool:
    """Whether this is process 0."""
    return get_rank() == 0


def synchronize():
    """Wait for all processes."""
    if get_world_size() == 1:
        return
    if dist.get_backend() == dist.Backend.NCCL:
        # Without ids NCCL guesses the device, and guesses wrong before the first collective.
        dist.barrier(device_ids=[torch.cuda.current_device()])
    else:
        dist.barrier()


@functools.lru_cache
def _cpu_group():
    """Group of all processes that can send objects from host memory."""
    return dist.new_group(backend="gloo") if dist.get_backend() == "nccl" else dist.group.WORLD


def all_gather(data, group=None):
    """Collect any picklable object from each process; returns the list, by rank, on each of them."""
    if get_world_size() == 1:
        return [data]
    group = _cpu_group() if group is None else group
    count = dist.get_world_size(group)
    if count == 1:
        return [data]
    collected = [None] * count
    dist.all_gather_object(collected, data, group=group)
    return collected


def gather(data, dst=0, group=None):
    """Collect any picklable object on one process; returns the list there and an empty list elsewhere."""
    if get_world_size() == 1:
        return [data]
    group = _cpu_group() if group is None else group
    count = dist.get_world_size(group=group)
    if count == 1:
        return [data]
    collected = [None] * count if dist.get_rank(group=group) == dst else None
    dist.gather_object(data, collected, dst=dst, group=group)
    return collected or []


def shared_random_seed():
    """Return a random number below 2**31, the same on all processes; draws once from np.random on each."""
    return all_gather(np.random.randint(2**31))[0]


def reduce_dict(input_dict, average=True):
    """Add up dicts of scalar tensors over all processes.

    Args:
        input_dict: the same keys on each process.
        average: divide by the number of processes.

    Returns:
        A dict whose values are meaningful on process 0 only; with one process the input itself.
    """
    count = get_world_size()
    if count == 1:
        return input_dict
    with torch.no_grad():
        names = sorted(input_dict)
        values = torch.stack([input_dict[name] for name in names], dim=0)
        dist.reduce(values, dst=0)
        if average and dist.get_rank() == 0:
            values /= count
        return dict(zip(names, values))
