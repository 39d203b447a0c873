"""Spatial attention: one weighted mean of a map, transformed, for all of its positions (the paper cites GCNet)."""

import torch
from torch import Tensor, nn

from vis_projects.methods.compfeat.temporal_attention import at_least_float32


class GlobalContext(nn.Module):
    """f_SA = W2 relu(LN(W1 sum over positions of softmax(w . x) x)), the same for each position of a map.

    W2 starts at zero, so the branch starts as the identity of what it is added to.
    """

    def __init__(self, channels: int, ratio: int = 4) -> None:
        """
        Args:
            channels: C of the maps.
            ratio: C is divided by it in the middle.
        """
        super().__init__()
        if not 1 <= ratio <= channels:
            raise ValueError(f"SA_RATIO (MODEL.COMPFEAT.FDA, .BDA) is {ratio}; choose 1 to {channels}, the channels")
        width = channels // ratio
        self.weight_conv = nn.Conv2d(channels, 1, 1)
        self.reduce_conv = nn.Conv2d(channels, width, 1)
        self.norm = nn.LayerNorm([width, 1, 1])
        self.expand_conv = nn.Conv2d(width, channels, 1)
        nn.init.kaiming_normal_(self.weight_conv.weight, nonlinearity="relu")
        nn.init.zeros_(self.weight_conv.bias)
        nn.init.zeros_(self.expand_conv.weight)
        nn.init.zeros_(self.expand_conv.bias)

    def context(self, x: Tensor, valid: Tensor | None = None) -> Tensor:
        """The weighted mean: (B, C, H, W) to (B, C, 1, 1); the weights of a map sum to 1 over its positions.

        `valid` (B, 1, H, W) bool takes the other positions out.
        """
        logits = self.weight_conv(x)
        if valid is not None:
            logits = logits.masked_fill(~valid, -torch.inf)
        weights = logits.flatten(2).softmax(-1)  # (B, 1, H * W)
        return (x.flatten(2) * weights).sum(-1)[:, :, None, None]

    def forward(self, x: Tensor, valid: Tensor | None = None) -> Tensor:
        """(B, C, H, W) to (B, C, 1, 1), to be added to x; B may be 0. `valid` as of `context`."""
        with torch.autocast(device_type=x.device.type, enabled=False):
            context = self.context(at_least_float32(x), valid)
            return self.expand_conv(self.norm(self.reduce_conv(context)).relu())
