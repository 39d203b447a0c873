"""The visual modulator: from a picture of the object to one factor per modulated channel."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from vis_projects.methods.osmn.trunk import NUM_STAGES, in_fast_layout, vgg_stages

TOTAL_STRIDE = 2**NUM_STAGES


class VisualModulator(nn.Module):
    """A VGG-like network whose last layer gives the factors; all are 1 before training (section 3.2)."""

    def __init__(
        self, *, widths: Sequence[int], convs: Sequence[int], norm: str, fc_dim: int, dropout: float, guide_size: int,
        num_factors: int,
    ) -> None:
        """
        Args:
            widths, convs, norm: of `vgg_stages`.
            fc_dim: width of the two fully connected layers.
            dropout: behind each of them, in training.
            guide_size: side of the square input in pixels.
            num_factors: P, channels of all modulated layers together.

        Raises:
            ValueError: the side is no multiple of 32.
        """
        super().__init__()
        if guide_size < TOTAL_STRIDE or guide_size % TOTAL_STRIDE:
            raise ValueError(f"MODEL.OSMN.GUIDE_SIZE is {guide_size}; use a multiple of {TOTAL_STRIDE}")
        self.guide_size = guide_size
        self.stages = vgg_stages(widths, convs, norm)
        self.fc6 = nn.Linear(widths[-1] * (guide_size // TOTAL_STRIDE) ** 2, fc_dim)
        self.fc7 = nn.Linear(fc_dim, fc_dim)
        self.fc8 = nn.Linear(fc_dim, num_factors)
        self.dropout = nn.Dropout(dropout)
        for layer in (self.fc6, self.fc7):
            nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
            nn.init.zeros_(layer.bias)
        nn.init.zeros_(self.fc8.weight)
        nn.init.ones_(self.fc8.bias)

    def forward(self, guides: Tensor) -> Tensor:
        """(N, 3, S, S) normalised crops, 0 outside the object, to (N, P) factors."""
        if guides.shape[0] == 0:
            return guides.new_zeros(0, self.fc8.out_features)
        x = in_fast_layout(guides)
        for layers in self.stages:
            for layer in layers:
                x = layer(x)
            x = F.max_pool2d(x, 2)
        x = self.dropout(F.relu(self.fc6(torch.flatten(x, 1))))
        return self.fc8(self.dropout(F.relu(self.fc7(x))))
