"""Dual attention: temporal and spatial attention side by side on the same features, both added to them."""

from typing import Any

from detectron2.config import CfgNode
from torch import Tensor, nn

from vis_projects.methods.compfeat.global_context import GlobalContext
from vis_projects.methods.compfeat.temporal_attention import TemporalAttention


class DualAttention(nn.Module):
    """f + f_TA + f_SA; without both branches it is the identity."""

    def __init__(
        self, channels: int, *, temporal: bool = True, spatial: bool = True, ratio: int = 4, **options: Any
    ) -> None:
        """
        Args:
            channels: C of the maps.
            temporal, spatial: which branches there are.
            ratio: of `GlobalContext`.
            options: of `TemporalAttention`.
        """
        super().__init__()
        self.temporal = TemporalAttention(channels, **options) if temporal else None
        self.spatial = GlobalContext(channels, ratio) if spatial else None

    @staticmethod
    def options(node: CfgNode) -> dict[str, Any]:
        """The arguments behind `channels` from ``MODEL.COMPFEAT.FDA`` or ``.BDA``."""
        return {
            "temporal": node.TEMPORAL, "spatial": node.SPATIAL, "ratio": node.SA_RATIO, "kernel": node.KERNEL,
            "share_key": node.SHARE_KEY, "act": node.ACT, "scale": node.SCALE, "gate": node.GATE,
        }

    def forward(
        self,
        x: Tensor,
        support: tuple[Tensor, Tensor] | None = None,
        image_index: Tensor | None = None,
        valid: Tensor | None = None,
    ) -> Tensor:
        """
        Args:
            x: (B, C, H, W) current maps; B may be 0.
            support: keys and values of `TemporalAttention.project`, (S, T, d, H', W') each; not read where there is no
                temporal branch.
            image_index: (B,) int64, the key set of each map; without it S is 1 or B.
            valid: (B, 1, H, W) bool, the positions that the spatial branch looks at; None: all.

        Returns:
            (B, C, H, W), dtype of x.
        """
        out = x
        if self.temporal is not None:
            if support is None:
                raise ValueError("temporal attention needs support frames; set INPUT.VIDEO.NUM_SUPPORT_FRAMES to 1 or "
                                 "more, or TEMPORAL (MODEL.COMPFEAT.FDA, .BDA) to False")
            out = out + self.temporal(x, *support, image_index)
        if self.spatial is not None:
            out = out + self.spatial(x, valid)
        return out.to(x.dtype)
