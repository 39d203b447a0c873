"""Temporal attention: every position of the current frame looks at every position of the support frames (eq. 1).

Letters: B maps of current frames or RoIs, N maps of support frames, S key sets of T frames, C channels, d = C // 4.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from vis_projects.layers import st_attention

ACTIVATIONS = {"relu": F.relu, "leaky_relu": F.leaky_relu}
SCALES = ("none", "sqrt")
KERNELS = (1, 3)
MASKED = -1e4  # a logit that leaves a weight of exactly 0


class TemporalAttention(nn.Module):
    """f_TA = act(F(sum of value_j softmax_j(query . key_j))) with one head, no position code and, as eq. 1, no scale.

    Queries, keys and values are act(conv(x)) with a quarter of the channels. No parameter depends on T. All of it runs
    in float32 or better: keys behind a ReLU make all logits positive and large, and bfloat16 loses their order.
    """

    def __init__(
        self,
        channels: int,
        *,
        kernel: int = 1,
        share_key: bool = False,
        act: str = "relu",
        scale: str = "none",
        gate: bool = False,
    ) -> None:
        """
        Args:
            channels: C, at least 4.
            kernel: side of the convolutions of queries, keys and values, 1 or 3.
            share_key: queries and keys come from one convolution.
            act: a key of `ACTIVATIONS`.
            scale: "none" or "sqrt", 1 / sqrt(d).
            gate: a learned factor on the output, 0 at the start.
        """
        super().__init__()
        given = (("KERNEL", kernel, KERNELS), ("ACT", act, tuple(ACTIVATIONS)), ("SCALE", scale, SCALES))
        for name, value, known in given:
            if value not in known:
                raise ValueError(f"{name} of MODEL.COMPFEAT.FDA or .BDA is {value!r}; choose from {known}")
        if channels < 4:
            raise ValueError(f"attention keys have a quarter of the channels; there are only {channels}")
        width = channels // 4
        self.query_conv = _embedding(channels, width, kernel)
        self.key_conv = None if share_key else _embedding(channels, width, kernel)
        self.value_conv = _embedding(channels, width, kernel)
        self.output_conv = nn.Conv2d(width, channels, 1)
        # Not zero: behind a ReLU a branch that starts at zero has no gradient and stays there.
        nn.init.normal_(self.output_conv.weight, std=0.001)
        nn.init.zeros_(self.output_conv.bias)
        self.gate = nn.Parameter(torch.zeros(())) if gate else None
        self.act = ACTIVATIONS[act]
        self.scale = 1.0 if scale == "none" else width**-0.5

    def project(self, supports: Tensor, valid: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Keys and values of support frames.

        Args:
            supports: (N, C, H', W').
            valid: (N, 1, H', W') bool, the positions that may be looked at; None: all.

        Returns:
            two (N, d, H', W'); with `valid` the keys have one channel more, which takes the others out.
        """
        with torch.autocast(device_type=supports.device.type, enabled=False):
            supports = at_least_float32(supports)
            key_conv = self.query_conv if self.key_conv is None else self.key_conv
            keys = self.act(key_conv(supports))
            if valid is not None:
                keys = torch.cat([keys, torch.where(valid, 0.0, MASKED / self.scale).to(keys.dtype)], 1)
            return keys, self.act(self.value_conv(supports))

    def forward(self, x: Tensor, keys: Tensor, values: Tensor, image_index: Tensor | None = None) -> Tensor:
        """f_TA of current maps.

        Args:
            x: (B, C, H, W); B may be 0.
            keys, values: (S, T, d or d + 1, H', W') and (S, T, d, H', W'), see `project`.
            image_index: (B,) int64, the key set of each map; without it S is 1 or B.

        Returns:
            (B, C, H, W), to be added to x.
        """
        with torch.autocast(device_type=x.device.type, enabled=False):
            query = self.act(self.query_conv(at_least_float32(x)))
            if keys.shape[2] > query.shape[1]:
                query = torch.cat([query, torch.ones_like(query[:, :1])], 1)
            gathered = st_attention(query, keys, values, self.scale, image_index)
            out = self.act(self.output_conv(gathered))
            return out if self.gate is None else self.gate * out


def at_least_float32(x: Tensor) -> Tensor:
    """Half types become float32, others stay."""
    return x.float() if x.dtype.itemsize < 4 else x


def _embedding(channels: int, width: int, kernel: int) -> nn.Conv2d:
    conv = nn.Conv2d(channels, width, kernel, padding=kernel // 2)
    nn.init.normal_(conv.weight, std=0.01)  # keeps the spread of the first logits near 1 at d = 512
    nn.init.zeros_(conv.bias)
    return conv
