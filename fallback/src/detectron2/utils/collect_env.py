"""A report of the software and hardware that a run uses."""

import importlib
import os
import sys

import numpy as np
import torch
from tabulate import tabulate

__all__ = ["collect_env_info"]


def collect_env_info():
    """Return a table with the versions of all packages that matter, the GPUs, and how torch was built."""
    import detectron2

    package_dir = os.path.dirname(os.path.abspath(detectron2.__file__))
    rows = [
        ("sys.platform", sys.platform),
        ("Python", sys.version.replace("\n", "")),
        ("numpy", np.__version__),
        ("detectron2", f"{detectron2.__version__} @{package_dir} (a subset, not the real package)"),
        ("PyTorch", f"{torch.__version__} @{os.path.dirname(torch.__file__)}"),
        ("PyTorch debug build", torch.version.debug),
        ("GPU available", torch.cuda.is_available()),
        *_gpu_rows(),
        *(_package_row(label, module) for label, module in _PACKAGES),
    ]
    return f"{tabulate(rows)}\n{torch.__config__.show()}"


_PACKAGES = (
    ("Pillow", "PIL"),
    ("torchvision", "torchvision"),
    ("fvcore", "fvcore"),
    ("iopath", "iopath"),
    ("cv2", "cv2"),
)


def _package_row(label: str, module: str) -> tuple[str, str]:
    try:
        found = importlib.import_module(module)
    except ImportError as error:
        return label, f"not found ({error})"
    return label, f"{getattr(found, '__version__', 'unknown version')} @{os.path.dirname(found.__file__)}"


def _gpu_rows() -> list[tuple[str, str]]:
    if not torch.cuda.is_available():
        return []
    rows = []
    for index in range(torch.cuda.device_count()):
        major, minor = torch.cuda.get_device_capability(index)
        rows.append((f"GPU {index}", f"{torch.cuda.get_device_name(index)} (arch={major}.{minor})"))
    return [*rows, ("CUDA", torch.version.cuda), ("CUDA_HOME", os.environ.get("CUDA_HOME", "not set"))]
