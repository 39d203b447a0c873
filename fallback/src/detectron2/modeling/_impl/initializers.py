"""In-place weight initialisers of convolution and linear layers.

Both draw exactly once from torch's default generator, so the order of calls
decides which weights a seed gives.
"""

from torch import nn


def msra_fill(layer: nn.Module) -> None:
    """Draws the weight from a normal with variance 2 / fan_out; the bias becomes 0.

    Args:
        layer: module with a floating `weight` of at least two dimensions and an
            optional `bias`.
    """
    nn.init.kaiming_normal_(layer.weight, mode="fan_out", nonlinearity="relu")
    _zero_bias(layer)


def xavier_fill(layer: nn.Module) -> None:
    """Draws the weight from a uniform on +-sqrt(3 / fan_in); the bias becomes 0.

    Args:
        layer: module with a floating `weight` of at least two dimensions and an
            optional `bias`.
    """
    nn.init.kaiming_uniform_(layer.weight, a=1)
    _zero_bias(layer)


def normal_fill(layer: nn.Module, std: float) -> None:
    """Draws the weight from a normal of deviation `std`; the bias becomes 0."""
    nn.init.normal_(layer.weight, std=std)
    _zero_bias(layer)


def _zero_bias(layer: nn.Module) -> None:
    if getattr(layer, "bias", None) is not None:
        nn.init.zeros_(layer.bias)
