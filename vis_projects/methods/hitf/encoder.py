"""The backbone: a ResNet whose last stage alternates with intra-frame attention layers (section Encoder of the paper).

Letters: B frames, C channels, L slots, D width of the code. The stride of the last stage is s = 16 or 32.
"""

from typing import Any

import torch
from detectron2.config import CfgNode
from detectron2.layers import ShapeSpec
from detectron2.modeling import BACKBONE_REGISTRY, Backbone, build_resnet_backbone
from torch import Tensor, nn
from torch.nn import functional as F

from vis_projects.methods.hitf.layers import IntraFrameLayer
from vis_projects.methods.hitf.pixel_attention import PIXEL_ATTENTIONS, PIXEL_MODES, AxialPair, PixelAttention


class HybridEncoder(Backbone):
    """Image -> res2, res3, last feature map f^N and instance code e^N of one frame, without any other frame.

    Sides are padded to s k + 1 pixels, the sizes at which maps of all strides have their corners in one place.
    """

    def __init__(
        self,
        trunk: nn.Module,
        *,
        num_slots: int,
        code_dim: int,
        layers: list[nn.Module],
        square_sizes: tuple[int, int] | None = None,
        mask_padding: bool = False,
    ) -> None:
        """
        Args:
            trunk: ResNet of the stages res2 to res5.
            num_slots, code_dim: L, D.
            layers: `IntraFrameLayer`s: one after each of the last blocks of res5, the rest after its end.
            square_sizes: sides in pixels of the square that frames are padded to in training and in evaluation, before
                the padding to s k + 1; None pads to the largest frame only.
            mask_padding: codes do not attend to padding.
        """
        super().__init__()
        self.bottom_up = trunk
        self.code = nn.Parameter(nn.init.trunc_normal_(torch.empty(num_slots, code_dim)))
        self.intra = nn.ModuleList(layers)
        self.square_sizes, self.mask_padding = square_sizes, mask_padding
        shapes = trunk.output_shape()
        self._out_features = ["res2", "res3", "res5"]
        self._out_feature_channels = {name: shapes[name].channels for name in self._out_features}
        self._out_feature_strides = {name: shapes[name].stride for name in self._out_features}

    @property
    def stride(self) -> int:
        """s, pixels between two places of the last map."""
        return self._out_feature_strides["res5"]

    @property
    def padding_constraints(self) -> dict[str, int]:
        """The square canvas, see `square_sizes`."""
        if self.square_sizes is None:
            return {}
        return {"square_size": self.square_sizes[0 if self.training else 1]}

    def padded_size(self, size: tuple[int, int]) -> tuple[int, int]:
        """(height, width) of a batch -> those of the network: the next s k + 1, k at least 1."""
        return tuple(max(-(-(side - 1) // self.stride), 1) * self.stride + 1 for side in size)

    def valid_cells(self, image_sizes: list[tuple[int, int]], padded: tuple[int, int]) -> Tensor | None:
        """bool (B, HW): cells of the last map inside the frames; None where padding is not masked."""
        if not self.mask_padding:
            return None
        height, width = ((side - 1) // self.stride + 1 for side in padded)
        y, x = torch.arange(height)[:, None] * self.stride, torch.arange(width)[None] * self.stride
        return torch.stack([((y < h) & (x < w)).flatten() for h, w in image_sizes]).to(self.code.device)

    def forward(self, images: Tensor, valid: Tensor | None = None) -> dict[str, Tensor]:
        """
        Args:
            images: (B, 3, H, W) normalised.
            valid: of `valid_cells`.

        Returns:
            `res2`, `res3`, `res5` (B, C, ...) and `code` (B, L, D).
        """
        height, width = self.padded_size(images.shape[-2:])
        x = F.pad(images, (0, width - images.shape[-1], 0, height - images.shape[-2]))
        trunk, outputs = self.bottom_up, {}
        x = trunk.stem(x)
        for name in ("res2", "res3", "res4"):
            x = outputs[name] = getattr(trunk, name)(x)
        code = self.code.expand(x.shape[0], -1, -1)
        blocks = list(trunk.res5)
        first = max(len(blocks) - len(self.intra), 0)
        for index, block in enumerate(blocks):
            x = block(x)
            if index >= first:
                x, code = self.intra[index - first](x, code, valid)
        for layer in self.intra[len(blocks) - first :]:
            x, code = layer(x, code, valid)
        return {"res2": outputs["res2"], "res3": outputs["res3"], "res5": x, "code": code}


@BACKBONE_REGISTRY.register()
def build_hybrid_encoder(cfg: CfgNode, input_shape: ShapeSpec) -> HybridEncoder:
    """The encoder of `MODEL.HITF` around the ResNet of `MODEL.RESNETS`.

    Raises:
        ValueError: options that do not fit, with their keys.
    """
    node = cfg.MODEL.HITF
    _check(cfg)
    trunk = build_resnet_backbone(cfg, input_shape)
    _set_multi_grid(trunk.res5, node.RES5_MULTI_GRID, cfg.MODEL.RESNETS.RES5_DILATION)
    shape = trunk.output_shape()["res5"]
    grid = feature_grid(cfg, shape.stride)
    options = attention_options(cfg, shape.channels)
    pixels = {"grid": grid, "heads": node.HEADS, "key_dim": 2 * node.KEY_DIM, "value_dim": 2 * node.VALUE_DIM}
    inside = node.PIXEL_ATTN != "none" and node.PIXEL_ATTN_MODE == "add"
    layers = [
        IntraFrameLayer(
            pixel_attention=PixelAttention(channels=shape.channels, kind=node.PIXEL_ATTN, **pixels) if inside else None,
            sequential=node.P2C_SEQUENTIAL, **options,
        )
        for _ in range(node.NUM_INTRA)
    ]
    if node.PIXEL_ATTN == "axial" and node.PIXEL_ATTN_MODE == "replace":
        for block in list(trunk.res5)[-node.NUM_INTRA :]:
            _replace_convolution(block, pixels)
    square = (cfg.INPUT.MAX_SIZE_TRAIN, cfg.INPUT.MAX_SIZE_TEST) if node.SQUARE_CANVAS else None
    return HybridEncoder(trunk, num_slots=node.NUM_SLOTS, code_dim=node.CODE_DIM, layers=layers, square_sizes=square,
                         mask_padding=node.MASK_PADDING)


def attention_options(cfg: CfgNode, channels: int) -> dict[str, Any]:
    """Arguments of `HybridAttention` that all layers of a model share.

    Args:
        cfg: with `MODEL.HITF`.
        channels: of the feature map.
    """
    node = cfg.MODEL.HITF
    return {
        "channels": channels, "code_dim": node.CODE_DIM, "attn_dim": node.ATTN_DIM, "key_dim": node.KEY_DIM,
        "value_dim": node.VALUE_DIM, "heads": node.HEADS, "ffn_dim": node.FFN_DIM, "norm": node.NORM,
        "logit_scale": node.LOGIT_SCALE, "pixel_ffn": node.PIXEL_FFN,
    }


def feature_grid(cfg: CfgNode, stride: int) -> tuple[int, int]:
    """(H, W) of the last map of a frame that fills the canvas of `INPUT.MAX_SIZE_TEST`; tables are made for it."""
    side = max(-(-(cfg.INPUT.MAX_SIZE_TEST - 1) // stride), 1) + 1
    return side, side


def _check(cfg: CfgNode) -> None:
    node = cfg.MODEL.HITF
    for key, value, known in (("PIXEL_ATTN", node.PIXEL_ATTN, PIXEL_ATTENTIONS),
                              ("PIXEL_ATTN_MODE", node.PIXEL_ATTN_MODE, PIXEL_MODES)):
        if value not in known:
            raise ValueError(f"MODEL.HITF.{key} is {value!r}; choose from {known}")
    if node.PIXEL_ATTN_MODE == "replace" and (node.PIXEL_ATTN != "axial" or cfg.MODEL.RESNETS.RES5_DILATION == 1):
        raise ValueError(
            "MODEL.HITF.PIXEL_ATTN_MODE 'replace' needs PIXEL_ATTN 'axial' and MODEL.RESNETS.RES5_DILATION 2"
        )
    missing = {"res2", "res3", "res4", "res5"} - set(cfg.MODEL.RESNETS.OUT_FEATURES)
    if missing:
        raise ValueError(f"HITF reads res2 to res5: add {sorted(missing)} to MODEL.RESNETS.OUT_FEATURES")


def _set_multi_grid(stage: nn.Module, grid: tuple[int, ...], dilation: int) -> None:
    """Multiplies the dilations of the blocks' 3x3 convolutions, which keep their output size."""
    if len(grid) != len(stage):
        raise ValueError(f"MODEL.HITF.RES5_MULTI_GRID is {tuple(grid)}; the last stage has {len(stage)} blocks")
    for block, factor in zip(stage, grid):
        conv = block.conv2
        conv.dilation = conv.padding = (dilation * factor, dilation * factor)


def _replace_convolution(block: nn.Module, options: dict[str, Any]) -> None:
    """Puts axial attention where a bottleneck has its 3x3 convolution, as MaX-DeepLab does."""
    channels = block.conv2.out_channels
    options = {**options, "value_dim": channels, "key_dim": channels // 2}
    block.conv2 = nn.Sequential(AxialPair(channels, **options), nn.GroupNorm(1, channels))
