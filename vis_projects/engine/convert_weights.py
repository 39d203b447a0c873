"""What `vis convert-weights` does: a published checkpoint under the names of a model here, with a strict report."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from detectron2.modeling import build_model
from torch import Tensor, nn

from vis_projects.engine.checkpointer import LoadReport, check_safe, local_file
from vis_projects.engine.config_file import load_config
from vis_projects.engine.errors import CheckpointError, ConfigError
from vis_projects.engine.run_setup import set_num_classes
from vis_projects.modeling.weight_formats import COUNTER, WEIGHT_FORMATS

CONTAINERS = ("model", "state_dict")  # where programs put the weights beside other things


def convert_weights(
    source: str, out: str, *, weight_format: str, config_file: str, opts: Sequence[str] = (), partial: bool = False
) -> str:
    """Renames a checkpoint and writes what fits the model.

    Args:
        source: path or URL of a .pth file; it is read without running code in it.
        out: path to write, {"model": weights}; must not exist.
        weight_format: one of `WEIGHT_FORMATS`.
        config_file, opts: of the model, with its number of classes.
        partial: also write when names are missing, left over, or of another shape.

    Returns:
        the report and the path.

    Raises:
        ConfigError: an unknown format or key.
        CheckpointError: the file is missing, unsafe or empty, or it does not fit and `partial` is off; then nothing is
            written.
    """
    if weight_format not in WEIGHT_FORMATS:
        raise ConfigError(f"--format {weight_format!r}: choose one of {', '.join(weight_format_names())}")
    if Path(out).exists():
        raise CheckpointError(f"{out} exists; name a new file")
    cfg = load_config(config_file, opts)
    cfg.MODEL.DEVICE = "cpu"
    if cfg.MODEL.VIS.NUM_CLASSES > 0:
        set_num_classes(cfg, cfg.MODEL.VIS.NUM_CLASSES, source="MODEL.VIS.NUM_CLASSES")
    model = build_model(cfg)
    renamed = WEIGHT_FORMATS.get(weight_format)(read_weights(source))
    report = compare(renamed, model, source)
    text = str(report)
    misfits = len(report.missing) + len(report.wrong_shape) + len(report.unexpected)
    if report.filled == 0 or (misfits and not partial):
        raise CheckpointError(
            f"{text}\n  Nothing was written. Is it of {config_file}, with MODEL.VIS.NUM_CLASSES of the checkpoint in "
            "--opts? --partial writes what fits"
        )
    expected = model.state_dict()
    fitting = {name: value for name, value in renamed.items()
               if name in expected and value.shape == expected[name].shape}
    Path(out).parent.mkdir(parents=True, exist_ok=True)
    torch.save({"model": fitting}, out)
    return f"{text}\n{out}"


def weight_format_names() -> list[str]:
    """Names of all registered formats."""
    return sorted(name for name, _ in WEIGHT_FORMATS)


def read_weights(source: str) -> dict[str, Tensor]:
    """The named tensors of a checkpoint, from its top level or from the entry "model" or "state_dict".

    Raises:
        CheckpointError: the file is missing, unsafe, or holds no named tensors.
    """
    local = local_file(source)
    check_safe(local)
    content: Any = torch.load(local, map_location="cpu", weights_only=True)
    for container in CONTAINERS:
        if isinstance(content, Mapping) and isinstance(content.get(container), Mapping):
            content = content[container]
            break
    if isinstance(content, Mapping):
        weights = {name: value for name, value in content.items() if isinstance(value, Tensor)}
        if weights:
            return weights
    raise CheckpointError(f"checkpoint {source} holds no named tensors at its top or in {' or '.join(CONTAINERS)}")


def compare(weights: Mapping[str, Tensor], model: nn.Module, path: str) -> LoadReport:
    """How renamed weights fit a model, without loading them."""
    ours = model.state_dict()
    wrong = tuple((name, tuple(weights[name].shape), tuple(value.shape)) for name, value in ours.items()
                  if name in weights and weights[name].shape != value.shape)
    unfilled = {name for name in ours if name not in weights} | {name for name, _, _ in wrong}
    sizes = {name: parameter.numel() for name, parameter in model.named_parameters()}
    return LoadReport(
        path=path,
        filled=sum(size for name, size in sizes.items() if name not in unfilled),
        total=sum(sizes.values()),
        missing=tuple(sorted(name for name in ours if name not in weights and not name.endswith(COUNTER))),
        wrong_shape=wrong,
        unexpected=tuple(sorted(name for name in weights if name not in ours)),
    )
