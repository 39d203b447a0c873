"""The environment report behind `vis env`: versions, devices, which Detectron2 runs, native op or fallback."""

import importlib
import importlib.metadata
import platform
import sys

import torch
from tabulate import tabulate

PACKAGES = ("torchvision", "numpy", "pycocotools", "fvcore", "iopath", "scipy", "cv2", "PIL")


def env_report() -> str:
    """The report as a two-column text table; never raises for a missing optional package."""
    rows = [
        ("vis_projects", _version("vis_projects")),
        ("python", f"{sys.version.split()[0]} on {platform.system()} {platform.machine()}"),
        ("torch", f"{torch.__version__} ({torch.get_num_threads()} threads)"),
        ("cuda", _cuda()),
        ("detectron2", describe_detectron2()),
    ]
    rows += [(name, _version(name)) for name in PACKAGES]
    return tabulate(rows + [(f"op {name}", state) for name, state in _ops().items()], tablefmt="plain")


def describe_detectron2() -> str:
    """Which Detectron2 an import gives: the real one or the subset of fallback/, its version and its folder."""
    try:
        module = importlib.import_module("detectron2")
    except ImportError as error:
        return f"not importable: {error}"
    kind = "fallback subset" if getattr(module, "__subset__", False) else "real"
    return f"{module.__version__} ({kind}, {next(iter(module.__path__))})"


def _version(name: str) -> str:
    try:
        module = importlib.import_module(name)
    except ImportError as error:
        return f"not importable: {error}"
    if hasattr(module, "__version__"):
        return str(module.__version__)
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return "installed, version unknown"


def _cuda() -> str:
    if not torch.cuda.is_available():
        return f"not available (torch built for {torch.version.cuda or 'CPU'})"
    names = [torch.cuda.get_device_name(i) for i in range(torch.cuda.device_count())]
    return f"{torch.version.cuda}, arch {' '.join(torch.cuda.get_arch_list())}, devices: {', '.join(names)}"


def _ops() -> dict[str, str]:
    # utils stands below layers in the house's import order, so the one upward look happens at call time by name
    return importlib.import_module("vis_projects.layers").ops_status()
