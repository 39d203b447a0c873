"""How other programs name the weights of the models that are here too: a registry of pure functions."""

from fvcore.common.registry import Registry
from torch import Tensor

Weights = dict[str, Tensor]

WEIGHT_FORMATS = Registry("VIS_WEIGHT_FORMAT")
WEIGHT_FORMATS.__doc__ = """
Formats by name. A format is a function `weights -> weights` from the names of a published checkpoint to the names here,
one for one; it leaves a name that it does not know as it is, so that the name shows up as unexpected.
"""


@WEIGHT_FORMATS.register()
def adelaidet(weights: Weights) -> Weights:
    """FCOS, CondInst and CrossVIS: the names are ours but for the constants that Detectron2 wrote too, before 2021."""
    return {name: value for name, value in weights.items() if name not in ("pixel_mean", "pixel_std")}
