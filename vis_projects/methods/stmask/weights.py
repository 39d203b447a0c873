"""From the names of released STMask and Yolact++ checkpoints to those here."""

import re

from vis_projects.modeling.weight_formats import COUNTER, WEIGHT_FORMATS, Weights, bottom_up_name

# pattern -> name here; the first one that fits counts
RULES = (
    (r"(backbone\.layers\.\d+\.\d+)\.conv2\.conv_offset_mask\.(.+)", r"\1.conv2_offset.\2"),
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
        if name.endswith(COUNTER) or re.fullmatch(DEFORM_BIAS, name):
            continue
        bias = weights.get(re.sub(MEAN, r"\1.conv2.bias", name)) if re.fullmatch(MEAN, name) else None
        renamed[_renamed(name)] = value if bias is None else value - bias
    return renamed


def _renamed(name: str) -> str:
    for pattern, replacement in RULES:
        if re.fullmatch(pattern, name):
            name = re.sub(pattern, replacement, name)
            break
    # stages count from 0 there, from 1 in torchvision
    name = re.sub(r"^backbone\.layers\.(\d+)", lambda stage: f"backbone.layer{int(stage[1]) + 1}", name)
    level = re.fullmatch(r"fpn\.(lat|pred)_layers\.(\d+)\.(.+)", name)
    if level:
        kind = {"lat": "lateral", "pred": "output"}[level[1]]
        return f"backbone.fpn_{kind}{DEEPEST - int(level[2])}.{level[3]}"
    return bottom_up_name(name)
