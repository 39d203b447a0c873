"""The five stages of 3x3 convolutions that segmentation network and visual modulator are built of."""

from collections.abc import Sequence

import torch
from detectron2.layers import Conv2d, get_norm
from torch import Tensor, nn
from torch.nn import functional as F

NUM_STAGES = 5
IMAGE_CHANNELS = 3


def vgg_stages(widths: Sequence[int], convs: Sequence[int], norm: str) -> nn.ModuleList:
    """Stages of VGG's form, without the 2x2 max pooling between them.

    Args:
        widths: channels of each of the five stages.
        convs: layers of each stage, at least one.
        norm: between convolution and ReLU, "" for none.

    Returns:
        per stage a ModuleList of layers, each convolution, norm and ReLU.

    Raises:
        ValueError: not five stages, or one without a layer.
    """
    if len(widths) != NUM_STAGES or len(convs) != NUM_STAGES or min(*widths, *convs) < 1:
        raise ValueError(
            f"MODEL.OSMN.WIDTHS is {tuple(widths)} and MODEL.OSMN.CONVS {tuple(convs)}; give five positive numbers each"
        )
    stages, channels = nn.ModuleList(), IMAGE_CHANNELS
    for width, count in zip(widths, convs):
        layers = nn.ModuleList()
        for _ in range(count):
            layers.append(_layer(channels, width, norm))
            channels = width
        stages.append(layers)
    return stages


def in_fast_layout(images: Tensor) -> Tensor:
    """The same images (N, 3, H, W) as the stages take them: on a CPU with the channels last in memory, where max
    pooling takes a tenth of the time."""
    return images.contiguous(memory_format=torch.channels_last) if images.device.type == "cpu" else images


def _layer(in_channels: int, out_channels: int, norm: str) -> Conv2d:
    layer = Conv2d(in_channels, out_channels, 3, padding=1, bias=not norm, norm=get_norm(norm, out_channels),
                   activation=F.relu)
    nn.init.kaiming_normal_(layer.weight, mode="fan_out", nonlinearity="relu")
    if layer.bias is not None:
        nn.init.zeros_(layer.bias)
    return layer
