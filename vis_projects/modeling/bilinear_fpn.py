"""The FPN of Yolact: bilinear top-down path, ReLU after the output convolutions, strided levels on top."""

from collections.abc import Sequence

import torch
from detectron2.layers import Conv2d, get_norm
from detectron2.modeling import Backbone
from torch import Tensor
from torch.nn import functional as F


class BilinearFPN(Backbone):
    """Levels p<s> of stride 2^s. Detectron2's FPN upsamples to the nearest, and has neither these ReLUs nor this top.

    Parameter names are those of Detectron2's FPN: `fpn_lateral<s>`, `fpn_output<s>`; those of the top are
    `fpn_top<s>`.
    """

    def __init__(
        self, bottom_up: Backbone, in_features: Sequence[str], out_channels: int, *, num_top: int = 2, norm: str = ""
    ) -> None:
        """
        Args:
            bottom_up: image (N, C, H, W) to a dict of maps.
            in_features: of `bottom_up`, finest first, each of twice the stride of the one before.
            out_channels: of every level.
            num_top: levels above the last one, each a strided 3x3 convolution of the level below, without ReLU.
            norm: of lateral and output convolutions, for `get_norm`.
        """
        super().__init__()
        shapes = bottom_up.output_shape()
        self.in_features = tuple(in_features)
        self.stages = [shapes[name].stride.bit_length() - 1 for name in in_features]
        if self.stages != list(range(self.stages[0], self.stages[0] + len(self.stages))):
            strides = [shapes[name].stride for name in in_features]
            raise ValueError(f"MODEL.FPN.IN_FEATURES {self.in_features} have strides {strides}; each has to double")
        self.top_stages = [self.stages[-1] + 1 + k for k in range(num_top)]
        self.bottom_up = bottom_up
        for stage, name in zip(self.stages, in_features):
            self.add_module(f"fpn_lateral{stage}", _conv(shapes[name].channels, out_channels, 1, norm))
            self.add_module(f"fpn_output{stage}", _conv(out_channels, out_channels, 3, norm))
        for stage in self.top_stages:
            self.add_module(f"fpn_top{stage}", _conv(out_channels, out_channels, 3, "", stride=2))
        self._out_features = [f"p{stage}" for stage in (*self.stages, *self.top_stages)]
        self._out_feature_strides = {name: 2 ** int(name[1:]) for name in self._out_features}
        self._out_feature_channels = dict.fromkeys(self._out_features, out_channels)

    @property
    def size_divisibility(self) -> int:
        """Padded sizes are multiples of the last lateral level's stride; the top rounds up."""
        return 2 ** self.stages[-1]

    def forward(self, x: Tensor) -> dict[str, Tensor]:
        """Image (N, C, H, W) -> p<s> (N, out_channels, ceil(H / 2^s), ceil(W / 2^s))."""
        features = self.bottom_up(x)
        levels: dict[str, Tensor] = {}
        below = None
        for stage, name in zip(self.stages[::-1], self.in_features[::-1]):
            lateral = getattr(self, f"fpn_lateral{stage}")(features[name])
            if below is not None:
                size = lateral.shape[-2:]
                lateral = lateral + F.interpolate(below, size=size, mode="bilinear", align_corners=False)
            below = lateral
            levels[f"p{stage}"] = F.relu(getattr(self, f"fpn_output{stage}")(lateral))
        for stage in self.top_stages:
            levels[f"p{stage}"] = getattr(self, f"fpn_top{stage}")(levels[f"p{stage - 1}"])
        return {name: levels[name] for name in self._out_features}


def _conv(in_channels: int, out_channels: int, kernel: int, norm: str, stride: int = 1) -> Conv2d:
    conv = Conv2d(in_channels, out_channels, kernel, stride=stride, padding=kernel // 2, bias=not norm,
                  norm=get_norm(norm, out_channels))
    torch.nn.init.xavier_uniform_(conv.weight)
    if conv.bias is not None:
        torch.nn.init.zeros_(conv.bias)
    return conv
