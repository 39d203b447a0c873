"""Starts one function in several processes, on one machine or more, joined in a torch.distributed group."""

import logging
import socket
from datetime import timedelta

import torch
import torch.distributed as dist
import torch.multiprocessing as mp

from detectron2.utils import comm

__all__ = ["DEFAULT_TIMEOUT", "launch"]

DEFAULT_TIMEOUT = timedelta(minutes=30)


def launch(
    main_func, num_gpus_per_machine, num_machines=1, machine_rank=0, dist_url=None, args=(),
    timeout=DEFAULT_TIMEOUT,
):
    """Call ``main_func(*args)`` once per process.

    One process in all is a plain call. Otherwise ``num_gpus_per_machine`` processes are spawned here; they meet at
    ``dist_url`` ("auto" picks a free port and needs a single machine) over NCCL where CUDA is available, else gloo.

    Raises:
        AssertionError: "auto" with several machines.
    """
    world_size = num_machines * num_gpus_per_machine
    if world_size <= 1:
        main_func(*args)
        return
    if dist_url == "auto":
        assert num_machines == 1, 'dist_url="auto" works on one machine only: give tcp://HOST:PORT'
        dist_url = f"tcp://127.0.0.1:{_free_port()}"
    if num_machines > 1 and dist_url.startswith("file://"):
        logging.getLogger(__name__).warning("file:// is an unreliable meeting point of several machines; use tcp://")
    job = (main_func, world_size, num_gpus_per_machine, machine_rank, dist_url, args, timeout)
    mp.start_processes(_run_process, nprocs=num_gpus_per_machine, args=job, daemon=False)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("", 0))
        return probe.getsockname()[1]


def _run_process(local_rank, main_func, world_size, per_machine, machine_rank, dist_url, args, timeout):
    on_gpu = torch.cuda.is_available()
    if on_gpu:
        assert per_machine <= torch.cuda.device_count(), f"{per_machine} processes but {torch.cuda.device_count()} GPUs"
    try:
        dist.init_process_group(
            backend="NCCL" if on_gpu else "GLOO",
            init_method=dist_url,
            world_size=world_size,
            rank=machine_rank * per_machine + local_rank,
            timeout=timeout,
        )
    except Exception:
        logging.getLogger(__name__).error("Process group URL: %s", dist_url)
        raise
    comm.create_local_process_group(per_machine)
    if on_gpu:
        torch.cuda.set_device(local_rank)
    comm.synchronize()  # nobody runs ahead while another process is still joining
    main_func(*args)
