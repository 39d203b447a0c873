"""Communication of one process, and of two over gloo."""

import numpy as np
import pytest
import torch
import torch.distributed as dist
import torch.multiprocessing as mp

from detectron2.layers import NaiveSyncBatchNorm
from detectron2.utils import comm


def test_one_process():
    assert (comm.get_rank(), comm.get_world_size()) == (0, 1)
    assert (comm.get_local_rank(), comm.get_local_size()) == (0, 1)
    assert comm.is_main_process() and comm.synchronize() is None
    assert comm.all_gather({"a": 1}) == comm.gather({"a": 1}) == [{"a": 1}]
    values = {"a": torch.ones(1)}
    assert comm.reduce_dict(values) is values


def test_shared_seed_is_one_draw_of_numpy():
    np.random.seed(3)
    expected = np.random.randint(2**31)
    np.random.seed(3)
    assert comm.shared_random_seed() == expected


def test_groups_need_initialisation():
    with pytest.raises(AssertionError):
        comm.get_local_process_group()
    with pytest.raises(ValueError):
        comm.create_local_process_group(1)


def _norm_of_all(rank):
    """Two images on rank 0 and one on rank 1 must be normalised as a batch of three."""
    x = torch.arange(3 * 2 * 4, dtype=torch.float32).reshape(3, 2, 2, 2)
    mine = x[:2] if rank == 0 else x[2:]
    y = NaiveSyncBatchNorm(2, stats_mode="N")(mine)
    expected = torch.nn.BatchNorm2d(2)(x)
    assert torch.allclose(y, expected[:2] if rank == 0 else expected[2:], atol=1e-4)


def _two_processes(rank, store):
    dist.init_process_group("gloo", init_method=f"file://{store}", rank=rank, world_size=2)
    with pytest.raises(AssertionError):
        comm.get_local_rank()
    with pytest.raises(AssertionError):
        comm.create_local_process_group(3)
    comm.create_local_process_group(2)
    assert (comm.get_rank(), comm.get_local_rank(), comm.get_local_size()) == (rank, rank, 2)
    assert comm.is_main_process() == (rank == 0)
    assert comm.all_gather({"rank": rank}) == [{"rank": 0}, {"rank": 1}]
    assert comm.gather(rank) == ([0, 1] if rank == 0 else [])
    assert comm.gather(rank, dst=1) == ([0, 1] if rank == 1 else [])
    mean = comm.reduce_dict({"b": torch.tensor(1.0 + rank), "a": torch.tensor(2.0 * rank)})
    if rank == 0:
        # b: (1 + 2) / 2, a: (0 + 2) / 2
        assert list(mean) == ["a", "b"] and (mean["a"].item(), mean["b"].item()) == (1.0, 1.5)
    total = comm.reduce_dict({"b": torch.tensor(1.0 + rank)}, average=False)
    assert rank == 1 or total["b"].item() == 3.0
    np.random.seed(rank)
    assert len(set(comm.all_gather(comm.shared_random_seed()))) == 1
    _norm_of_all(rank)
    comm.synchronize()
    dist.destroy_process_group()


def test_two_processes(tmp_path):
    context = mp.spawn(_two_processes, args=(str(tmp_path / "store"),), nprocs=2, join=False)
    # True once every process has ended without an error; an error in one is raised here.
    while not context.join(timeout=120):
        pass
    assert [process.exitcode for process in context.processes] == [0, 0]
