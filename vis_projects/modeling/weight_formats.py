"""How other programs name the weights of the models that are here too: a registry of pure functions."""

import re

from fvcore.common.registry import Registry
from torch import Tensor

Weights = dict[str, Tensor]

COUNTER = "num_batches_tracked"  # of batch norms; older programs did not save it, and nothing depends on it here
# torchvision's names inside a residual block, and Detectron2's
_BLOCK_PARTS = {
    "downsample.0": "shortcut", "downsample.1": "shortcut.norm",
    "bn1": "conv1.norm", "bn2": "conv2.norm", "bn3": "conv3.norm",
}

WEIGHT_FORMATS = Registry("VIS_WEIGHT_FORMAT")
WEIGHT_FORMATS.__doc__ = """
Formats by name. A format is a function `weights -> weights` from the names of a published checkpoint to the names here,
one for one; it leaves a name that it does not know as it is, so that the name shows up as unexpected.
"""


@WEIGHT_FORMATS.register()
def adelaidet(weights: Weights) -> Weights:
    """FCOS, CondInst and CrossVIS: the names are ours but for the constants that Detectron2 wrote too, before 2021."""
    return {name: value for name, value in weights.items() if name not in ("pixel_mean", "pixel_std")}


def bottom_up_name(name: str) -> str:
    """Detectron2's name of a weight of a ResNet below an FPN, from torchvision's.

    Args:
        name: torchvision's name behind "backbone.", such as "backbone.bn1.bias" or
            "backbone.layer1.0.downsample.0.weight".

    Returns:
        "backbone.bottom_up.stem.conv1.norm.bias", "backbone.bottom_up.res2.0.shortcut.weight"; any other name as it is.
    """
    found = re.fullmatch(r"backbone\.(?:(conv1|bn1)|layer(\d+)\.(\d+)\.(.+))\.(\w+)", name)
    if found is None:
        return name
    stem, layer, block, part, kind = found.groups()
    if stem:
        return f"backbone.bottom_up.stem.{_BLOCK_PARTS.get(stem, stem)}.{kind}"
    return f"backbone.bottom_up.res{int(layer) + 1}.{block}.{_BLOCK_PARTS.get(part, part)}.{kind}"
