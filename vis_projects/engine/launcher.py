"""Starts the processes of a run through Detectron2's launch, and ends them cleanly."""

import os
import sys
from argparse import Namespace
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import torch.distributed
from detectron2.engine import launch
from detectron2.utils import comm
from torch.multiprocessing import ProcessExitedException

from vis_projects.engine.errors import EXIT_USER_ERROR, UserError
from vis_projects.engine.run_setup import check_arguments


def launch_run(main: Callable[[Namespace], Any], args: Namespace) -> None:
    """Runs `main(args)` in `args.num_gpus` processes on each of `args.num_machines` machines.

    With MODEL.DEVICE cpu the processes talk through gloo, also on a machine that has GPUs. The config and the data
    sets are looked at first, so that a mistake is one error here and not one per process.

    Args:
        main: picklable (defined at the top level of a module).
        args: of `default_argument_parser`.

    Raises:
        ConfigError, DataError: before any process starts.
        UserError: a process stopped at a mistake of the user, which it has printed.
    """
    cfg = check_arguments(args)
    processes = max(args.num_gpus, 1)
    # Detectron2 takes NCCL wherever a GPU is visible, and NCCL cannot reduce CPU tensors
    hidden = cfg.MODEL.DEVICE == "cpu" and processes * args.num_machines > 1
    with _environment({"CUDA_VISIBLE_DEVICES": ""} if hidden else {}):
        try:
            launch(
                run_process,
                processes,
                num_machines=args.num_machines,
                machine_rank=args.machine_rank,
                dist_url=args.dist_url,
                args=(main, args),
            )
        except ProcessExitedException as error:
            if error.exit_code != EXIT_USER_ERROR:
                raise
            raise UserError(f"process {error.error_index} stopped, its error is above") from None


@contextmanager
def _environment(values: Mapping[str, str]) -> Iterator[None]:
    before = {name: os.environ.get(name) for name in values}
    os.environ.update(values)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


def run_process(main: Callable[[Namespace], Any], args: Namespace) -> None:
    """Body of one process: `main(args)`, then an orderly end of the process group.

    A gloo group that is still there when Python exits aborts the process.
    """
    try:
        main(args)
    except UserError as error:
        if not torch.distributed.is_initialized():
            raise
        print(f"error: {error}", file=sys.stderr, flush=True)
        # at once: the other processes wait in a collective call, and are ended when this one is gone
        os._exit(EXIT_USER_ERROR)
    if torch.distributed.is_initialized():
        comm.synchronize()
        torch.distributed.destroy_process_group()
