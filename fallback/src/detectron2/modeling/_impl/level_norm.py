"""Batch norm for a head that runs on several feature levels with the same weights."""

import torch
from torch import nn


class LevelBatchNorm(nn.ModuleList):
    """One batch norm for each level, with one weight and bias for all.

    Calls must come level by level, in order: each uses the next norm, and after the last
    it starts again.

    Args:
        norms: batch norms without weight and bias.
        channels: their number of channels.
    """

    def __init__(self, norms, channels):
        super().__init__(norms)
        self.weight = nn.Parameter(torch.ones(channels))
        self.bias = nn.Parameter(torch.zeros(channels))
        self._next = 0

    def forward(self, x):
        """Normalises the float map (N, C, H, W) of the next level."""
        normalised = self[self._next](x)
        self._next = (self._next + 1) % len(self)
        return normalised * self.weight.view(1, -1, 1, 1) + self.bias.view(1, -1, 1, 1)
