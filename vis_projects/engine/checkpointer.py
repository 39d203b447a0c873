"""Loads checkpoints with a report of what fitted, refuses those of another model and those that would run code."""

import logging
import pickle
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from detectron2.checkpoint import DetectionCheckpointer
from detectron2.utils.file_io import PathManager
from torch.nn.parallel import DistributedDataParallel

from vis_projects.engine.errors import CheckpointError
from vis_projects.modeling import OnlineVISModel

logger = logging.getLogger(__name__)

NAMES_SHOWN = 8
# what the arrays of a model-zoo .pkl are made of; anything else could run code
_ARRAY_PARTS = {
    ("collections", "OrderedDict"), ("_codecs", "encode"), ("numpy", "ndarray"), ("numpy", "dtype"),
    ("numpy.core.multiarray", "_reconstruct"), ("numpy._core.multiarray", "_reconstruct"),
    ("numpy.core.multiarray", "scalar"), ("numpy._core.multiarray", "scalar"),
}


@dataclass(frozen=True)
class LoadReport:
    """How a checkpoint fitted the model.

    Attributes:
        path: of the checkpoint.
        filled: parameters (scalars) that it filled.
        total: parameters (scalars) of the model.
        missing: names in the model that the file lacks.
        wrong_shape: (name, shape in the file, shape in the model).
        unexpected: names in the file that the model lacks.
    """

    path: str
    filled: int
    total: int
    missing: tuple[str, ...]
    wrong_shape: tuple[tuple[str, tuple[int, ...], tuple[int, ...]], ...]
    unexpected: tuple[str, ...]

    @property
    def fraction(self) -> float:
        """Part of the model's parameters that was filled, 1 for a model without any."""
        return self.filled / self.total if self.total else 1.0

    def __str__(self) -> str:
        lines = [
            f"{self.path}: filled {self.filled:,} of {self.total:,} parameters ({100 * self.fraction:.1f} %); "
            f"{len(self.missing)} names missing, {len(self.wrong_shape)} of another shape, "
            f"{len(self.unexpected)} unexpected"
        ]
        shapes = [f"{name} {theirs} in the file, {ours} in the model" for name, theirs, ours in self.wrong_shape]
        for title, names in (("missing", self.missing), ("other shape", shapes), ("unexpected", self.unexpected)):
            if names:
                lines.append(f"  {title}: {_shorten(names)}")
        return "\n".join(lines)


class VISCheckpointer(DetectionCheckpointer):
    """A `DetectionCheckpointer` that reports and checks what it loads.

    Attributes:
        report: `LoadReport` of the last load that gave the model weights, or None.
    """

    def __init__(self, model: torch.nn.Module, save_dir: str = "", *, min_matched: float = 0.0, **kwargs: Any) -> None:
        """
        Args:
            model: to load into and save; of an `OnlineVISModel` what it names `checkpointed`.
            save_dir: folder of the checkpoints.
            min_matched: fraction of the model's parameters that a file must fill, or loading stops.
            kwargs: of `DetectionCheckpointer`: save_to_disk and checkpointables.
        """
        super().__init__(_checkpointed(model), save_dir, **kwargs)
        self.min_matched = min_matched
        self.report: LoadReport | None = None

    def load(self, path: str, checkpointables: Sequence[str] | None = None) -> dict[str, Any]:
        """Loads a file; "" loads nothing.

        Raises:
            CheckpointError: no such file, content that would run code, or too little of the model filled.
        """
        self.report = None
        if not path:
            return super().load(path, checkpointables)
        check_safe(local_file(path))
        rest = super().load(path, checkpointables=checkpointables)
        if self.report is not None:
            self._judge(path)
        return rest

    def _load_model(self, checkpoint: Any) -> Any:
        names_in_file = dict(checkpoint["model"])
        incompatible = super()._load_model(checkpoint)
        wrong = tuple((name, tuple(theirs), tuple(ours)) for name, theirs, ours in incompatible.incorrect_shapes)
        unfilled = {*incompatible.missing_keys, *(name for name, _, _ in wrong)}
        sizes = {name: parameter.numel() for name, parameter in self.model.named_parameters()}
        if not names_in_file:
            unfilled = set(sizes)
        self.report = LoadReport(
            path="",
            filled=sum(size for name, size in sizes.items() if name not in unfilled),
            total=sum(sizes.values()),
            missing=tuple(sorted(unfilled - {name for name, _, _ in wrong})),
            wrong_shape=wrong,
            unexpected=tuple(incompatible.unexpected_keys),
        )
        return incompatible

    def _judge(self, path: str) -> None:
        self.report = LoadReport(**{**vars(self.report), "path": path})
        if self.report.fraction < self.min_matched:
            raise CheckpointError(
                f"checkpoint of another model? {self.report}\n  This run needs {100 * self.min_matched:.0f} % of the "
                "model filled (MODEL.VIS.LOAD_MIN_MATCHED; all of it for evaluation and prediction). Give the "
                "checkpoint of this config in MODEL.WEIGHTS, or set MODEL.VIS.LOAD_MIN_MATCHED to 0 to load it anyway"
            )
        logger.info(str(self.report))


def local_file(path: str) -> str:
    """Path on this machine of a file, which a URL is downloaded to.

    Raises:
        CheckpointError: it is not there.
    """
    plain = path.split("?", 1)[0] if "://" not in path else path
    try:
        local = PathManager.get_local_path(plain)
    except (OSError, ValueError) as error:
        raise CheckpointError(
            f"checkpoint {path}: cannot get it ({' '.join(str(error).split())}); download it by hand and give its "
            "path in MODEL.WEIGHTS"
        ) from error
    if not Path(local).is_file():
        raise CheckpointError(f"checkpoint {path}: no such file; MODEL.WEIGHTS takes a path or a URL, or '' for none")
    return local


def check_safe(path: str) -> None:
    """Reads a checkpoint once in a way that cannot run code.

    Raises:
        CheckpointError: it holds more than arrays, containers and plain values, or is broken.
    """
    try:
        if path.endswith(".pkl"):
            with open(path, "rb") as file:
                _ArrayUnpickler(file, encoding="latin1").load()
        else:
            torch.load(path, map_location="cpu", weights_only=True)
    except (pickle.UnpicklingError, RuntimeError, EOFError, ValueError, KeyError, AttributeError, IndexError) as error:
        raise CheckpointError(f"checkpoint {path}: {_refusal(path, error)}") from error


def _refusal(path: str, error: Exception) -> str:
    """Why a file is not read, and what to do; torch's own words bury the reason under advice to read it unsafely."""
    remedy = "save only tensors and plain values"
    found = re.search(r"GLOBAL ([\w.]+)|refers to ([\w.]+)", str(error))
    if found is None:
        reason = " ".join(str(error).rpartition("WeightsUnpickler error:")[2].split())
        return f"broken, or holds more than weights ({reason[:300]}); download it again, or {remedy}"
    if not path.endswith(".pkl"):
        remedy += (
            ". For a file that you trust: import torch; content = torch.load("
            f"{path!r}, map_location='cpu', weights_only=False); torch.save(content['state_dict'], 'plain.pth'), where "
            "'state_dict' is the entry with the weights"
        )
    return f"holds more than weights: {found[1] or found[2]}, and reading that could run code; {remedy}"


def read_entry(path: str, name: str) -> Any:
    """Entry `name` at the top level of a .pth file, None if there is none."""
    local = local_file(path)
    if not local.endswith((".pth", ".pt")):
        return None
    check_safe(local)
    content = torch.load(local, map_location="cpu", weights_only=True)
    return content.get(name) if isinstance(content, dict) else None


class _ArrayUnpickler(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        if (module, name) not in _ARRAY_PARTS:
            raise pickle.UnpicklingError(f"it refers to {module}.{name}")
        return super().find_class(module, name)


def _checkpointed(model: torch.nn.Module) -> torch.nn.Module:
    inner = model.module if isinstance(model, DistributedDataParallel) else model
    part = inner.checkpointed if isinstance(inner, OnlineVISModel) else inner
    return model if part is inner else part


def _shorten(names: Sequence[str]) -> str:
    more = f", and {len(names) - NAMES_SHOWN} more" if len(names) > NAMES_SHOWN else ""
    return ", ".join(names[:NAMES_SHOWN]) + more
