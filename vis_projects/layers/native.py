"""Finds and loads the compiled ops of csrc/ (vis_projects/_C.so), once, on first use.

A missing library is no error: every op then runs on its reference. `VIS_DISABLE_NATIVE=1` keeps the library
out, which tests use to compare the two.
"""

import functools
import logging
import os
from pathlib import Path

import torch

LIBRARY = Path(__file__).resolve().parent.parent / "_C.so"
NATIVE_OPS = ("rle_encode",)

logger = logging.getLogger(__name__)


@functools.lru_cache(maxsize=None)
def load_native() -> str | None:
    """Loads the library into `torch.ops.vis_projects`.

    Returns:
        None when the ops are loaded, otherwise the reason why the references run.
    """
    if os.environ.get("VIS_DISABLE_NATIVE") == "1":
        return "VIS_DISABLE_NATIVE=1"
    if not LIBRARY.is_file():
        return "not compiled (build with VIS_BUILD_EXT=1 to see why)"
    try:
        torch.ops.load_library(str(LIBRARY))
    except OSError as error:
        reason = f"{LIBRARY.name} does not load with torch {torch.__version__}: {error}"
        logger.warning("%s; the references run. Rebuild with VIS_BUILD_EXT=1.", reason)
        return reason
    return None


def has_native(op: str) -> bool:
    """Whether `torch.ops.vis_projects.<op>` is there and used."""
    return load_native() is None and hasattr(torch.ops.vis_projects, op)


def ops_status() -> dict[str, str]:
    """Op name -> "native", or "fallback (<reason>)", for the environment report."""
    status = {}
    for op in NATIVE_OPS:
        status[op] = "native" if has_native(op) else f"fallback ({load_native() or 'not in this build'})"
    return status
