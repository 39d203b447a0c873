"""From the names of released STMask and Yolact++ checkpoints to those here."""

import re

from vis_projects.modeling.weight_formats import WEIGHT_FORMATS, Weights

BOTTOM_UP = "backbone.bottom_up"
# pattern -> name here; the first one that fits counts
RULES = (
    (r"backbone\.conv1\.(.+)", rf"{BOTTOM_UP}.stem.conv1.\1"),
    (r"backbone\.bn1\.(.+)", rf"{BOTTOM_UP}.stem.conv1.norm.\1"),
    (r"(backbone\.layers\.\d+\.\d+)\.conv2\.conv_offset_mask\.(.+)", r"\1.conv2_offset.\2"),
    (r"(backbone\.layers\.\d+\.\d+)\.bn(\d)\.(.+)", r"\1.conv\2.norm.\3"),
    (r"(backbone\.layers\.\d+\.\d+)\.downsample\.0\.(.+)", r"\1.shortcut.\2"),
    (r"(backbone\.layers\.\d+\.\d+)\.downsample\.1\.(.+)", r"\1.shortcut.norm.\2"),
    (r"fpn\.downsample_layers\.0\.(.+)", r"backbone.fpn_top6.\1"),
    (r"fpn\.downsample_layers\.1\.(.+)", r"backbone.fpn_top7.\1"),
    (r"prediction_layers\.0\.(.+)", r"head.\1"),
    (r"TemporalNet\.(.+)", r"temporal_net.\1"),
)
DEEPEST = 5  # level of the first of the FPN's layers there
DEFORM_BIAS = r"backbone\.layers\.\d+\.\d+\.conv2\.bias"
MEAN = r"(backbone\.layers\.\d+\.\d+)\.bn2\.running_mean"  # of what comes out of that convolution


@WEIGHT_FORMATS.register()
def stmask(weights: Weights) -> Weights:
    """STMask, and of Yolact++ what an STMask starts from.

    Deformable convolutions have a bias there, in front of a frozen batch norm; here it is taken off the running mean,
    which gives the same sums. Counters of batch norms are left out.
    """
    renamed: Weights = {}
    for name, value in weights.items():
        if name.endswith("num_batches_tracked") or re.fullmatch(DEFORM_BIAS, name):
            continue
        bias = weights.get(re.sub(MEAN, r"\1.conv2.bias", name)) if re.fullmatch(MEAN, name) else None
        renamed[_renamed(name)] = value if bias is None else value - bias
    return renamed


def _renamed(name: str) -> str:
    for pattern, replacement in RULES:
        if re.fullmatch(pattern, name):
            name = re.sub(pattern, replacement, name)
            break
    stage = re.fullmatch(r"backbone\.layers\.(\d+)\.(.+)", name)
    if stage:
        return f"{BOTTOM_UP}.res{int(stage[1]) + 2}.{stage[2]}"
    level = re.fullmatch(r"fpn\.(lat|pred)_layers\.(\d+)\.(.+)", name)
    if level:
        kind = {"lat": "lateral", "pred": "output"}[level[1]]
        return f"backbone.fpn_{kind}{DEEPEST - int(level[2])}.{level[3]}"
    return name
