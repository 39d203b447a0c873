"""An FPN whose two halves can be called apart, so that attention can stand between ResNet and pyramid."""

from typing import Any

from detectron2.config import CfgNode
from detectron2.layers import ShapeSpec
from detectron2.modeling import BACKBONE_REGISTRY
from detectron2.modeling.backbone import FPN, build_resnet_backbone
from detectron2.modeling.backbone.fpn import LastLevelMaxPool
from torch import Tensor
from torch.nn import functional as F


class SplitFPN(FPN):
    """Detectron2's FPN, with the same parameter names and the same result, as ``forward_features(bottom_up(x))``."""

    def __init__(self, *, fuse_type: str = "sum", **kwargs: Any) -> None:
        """
        Args:
            fuse_type: "sum" or "avg" of the lateral and the top-down map.
            kwargs: of ``FPN``.
        """
        super().__init__(fuse_type=fuse_type, **kwargs)
        self.fuse_type = fuse_type

    def forward(self, x: Tensor) -> dict[str, Tensor]:
        """Images (N, C, H, W), sides multiples of ``size_divisibility``, to levels "p<k>"."""
        return self.forward_features(self.bottom_up(x))

    def forward_features(self, features: dict[str, Tensor]) -> dict[str, Tensor]:
        """The pyramid of the maps of ``bottom_up``: "p<k>" to (N, C, H / 2^k, W / 2^k), from fine to coarse."""
        merged, levels = None, []
        for name, lateral, output in zip(reversed(self.in_features), self.lateral_convs, self.output_convs):
            side = lateral(features[name])
            if merged is not None:
                side = side + F.interpolate(merged, scale_factor=2.0, mode="nearest")
                side = side / 2 if self.fuse_type == "avg" else side
            merged = side
            levels.insert(0, output(merged))
        names = list(self.output_shape())
        if self.top_block is not None:
            source = self.top_block.in_feature
            top = features[source] if source in features else levels[names.index(source)]
            levels.extend(self.top_block(top))
        return dict(zip(names, levels, strict=True))


@BACKBONE_REGISTRY.register()
def build_split_resnet_fpn_backbone(cfg: CfgNode, input_shape: ShapeSpec) -> SplitFPN:
    """As Detectron2's ``build_resnet_fpn_backbone``, in two halves."""
    return SplitFPN(
        bottom_up=build_resnet_backbone(cfg, input_shape),
        in_features=cfg.MODEL.FPN.IN_FEATURES,
        out_channels=cfg.MODEL.FPN.OUT_CHANNELS,
        norm=cfg.MODEL.FPN.NORM,
        top_block=LastLevelMaxPool(),
        fuse_type=cfg.MODEL.FPN.FUSE_TYPE,
    )
