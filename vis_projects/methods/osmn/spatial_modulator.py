"""The spatial modulator: from a heat map of the object's place to one summand per pixel of each modulated layer."""

from collections.abc import Sequence

from torch import Tensor, nn

INIT_STD = 0.001


class SpatialModulator(nn.Module):
    """A scale and a shift of the heat map for each channel: beta_c = gamma~_c m + beta~_c (section 3.2).

    Both are as good as 0 before training.
    """

    def __init__(self, widths: Sequence[int]) -> None:
        """
        Args:
            widths: channels of each modulated layer.
        """
        super().__init__()
        self.layers = nn.ModuleList(nn.Conv2d(1, width, 1) for width in widths)
        for layer in self.layers:
            nn.init.normal_(layer.weight, std=INIT_STD)
            nn.init.zeros_(layer.bias)

    def forward(self, layer: int, heat: Tensor) -> Tensor:
        """Summands of one modulated layer: (N, 1, h, w) heat maps at its stride to (N, C, h, w)."""
        return self.layers[layer](heat)
