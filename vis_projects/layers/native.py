"""Loads the compiled ops of csrc/ (vis_projects/_C.so and, for CUDA, _C_cuda.so) and runs them or their references.

A missing library is no error: every op then runs on its reference. `VIS_DISABLE_NATIVE=1` keeps the libraries out,
which tests use to compare the two; `VIS_NATIVE_DIR` names another folder to take them from (a second build to compare
with); `VIS_CPU_LEVEL=1|3|4` lowers the instruction level that the CPU kernels use.

Where its op is there (`has_native`), a face registers what the C++ side leaves to Python: shapes for compilers,
autograd, autocast. It runs itself through `run_op`. Both libraries are loaded here, on import: loading needs no device,
and a compiler that traces a face then meets plain constants.
"""

import functools
import logging
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

logger = logging.getLogger(__name__)

LIBRARY_DIR = Path(os.environ.get("VIS_NATIVE_DIR") or Path(__file__).resolve().parent.parent)
CPU_OPS = ("rle_encode", "rle_decode", "rle_area", "rle_boxes", "rle_iou", "ytvis_scan_truth", "ytvis_scan_results",
           "track_overlaps", "match_tracks", "accumulate_tracks")
FUSED_OPS = ("depthwise_xcorr", "st_attention", "dynamic_mask_head", "local_correlation")  # CPU and CUDA
NATIVE_OPS = (*FUSED_OPS, *CPU_OPS)


def _load(library: Path) -> str | None:
    """Loads a library into `torch.ops.vis_projects`; the reason why not, None where it is loaded."""
    if os.environ.get("VIS_DISABLE_NATIVE") == "1":
        return "VIS_DISABLE_NATIVE=1"
    if not library.is_file():
        return "not compiled (build with VIS_BUILD_EXT=1 to see why)"
    try:
        torch.ops.load_library(str(library))
    except OSError as error:
        reason = f"{library.name} does not load with torch {torch.__version__}: {error}"
        logger.warning("%s; the references run. Rebuild with VIS_BUILD_EXT=1.", reason)
        return reason
    return None


CPU_REASON = _load(LIBRARY_DIR / "_C.so")
CUDA_REASON = CPU_REASON or (
    "this torch is a CPU build" if torch.version.cuda is None else _load(LIBRARY_DIR / "_C_cuda.so")
)
LOADED_OPS = frozenset(op for op in NATIVE_OPS if CPU_REASON is None and hasattr(torch.ops.vis_projects, op))


def has_native(op: str, device_type: str = "cpu") -> bool:
    """Whether `torch.ops.vis_projects.<op>` is there and used for tensors of this device type."""
    if device_type == "cuda":
        return CUDA_REASON is None and op in LOADED_OPS and op in FUSED_OPS
    return device_type == "cpu" and op in LOADED_OPS


def run_op(op: str, reference: Callable, *args: Any) -> Any:
    """The native op where it is there for the device of the first argument, otherwise the reference.

    The reference sees what the op would see: under autocast, floating tensors in the autocast dtype and autocast off.

    Args:
        op: name in `torch.ops.vis_projects`, which has the arguments of `reference`.
        reference: the same on plain torch ops.
        args: positional arguments, the first one a tensor.
    """
    device_type = args[0].device.type
    if has_native(op, device_type):
        return getattr(torch.ops.vis_projects, op)(*args)
    if torch.amp.is_autocast_available(device_type) and torch.is_autocast_enabled(device_type):
        with torch.autocast(device_type, enabled=False):
            return reference(*autocast_args(args, device_type))
    return reference(*args)


def autocast_args(args: tuple, device_type: str) -> tuple:
    """The arguments with float32 and half tensors of this device in the autocast dtype; float64 stays as it is."""
    dtype = torch.get_autocast_dtype(device_type)
    return tuple(arg.to(dtype) if _is_castable(arg, device_type) else arg for arg in args)


def _is_castable(arg: Any, device_type: str) -> bool:
    return (isinstance(arg, torch.Tensor) and arg.is_floating_point() and arg.dtype != torch.float64
            and arg.device.type == device_type)


def register_autocast(op: str) -> None:
    """Makes an op run in the autocast dtype inside an autocast region, on CPU and CUDA, as convolutions do.

    The kernels accumulate in float32 whatever the dtype of their tensors is.
    """
    for device_type, key in (("cpu", "AutocastCPU"), ("cuda", "AutocastCUDA")):
        _library().impl(op, functools.partial(_run_cast, op, device_type), key)


def _run_cast(op: str, device_type: str, *args: Any) -> Any:
    with torch.autocast(device_type, enabled=False):  # takes the autocast key out, so this call does not come back
        return getattr(torch.ops.vis_projects, op)(*autocast_args(args, device_type))


@functools.lru_cache(maxsize=None)
def _library() -> torch.library.Library:
    return torch.library.Library("vis_projects", "IMPL")  # registrations live as long as this object


def ops_status() -> dict[str, str]:
    """Op name -> "native", with what of CUDA, or "fallback (<reason>)", for the environment report."""
    status = {}
    for op in NATIVE_OPS:
        if not has_native(op):
            status[op] = f"fallback ({CPU_REASON or 'not in this build'})"
        elif op in CPU_OPS:
            status[op] = "native"
        elif has_native(op, "cuda"):
            status[op] = "native (CPU and CUDA)"
        else:
            status[op] = f"native (CPU); CUDA: fallback ({CUDA_REASON})"
    return status
