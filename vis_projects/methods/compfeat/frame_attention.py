"""Frame-level dual attention (FDA): on whole feature maps, with weights of their own for each stage."""

from collections.abc import Mapping
from typing import Any

from torch import Tensor, nn

from vis_projects.methods.compfeat.dual_attention import DualAttention
from vis_projects.methods.compfeat.valid_cells import ValidCells

PREFIX = "frame."


class FrameAttention(nn.Module):
    """Attends the chosen maps of current frames to those of their support frames; other maps pass through."""

    def __init__(self, channels: Mapping[str, int], **options: Any) -> None:
        """
        Args:
            channels: of each stage that is attended, by name.
            options: of `DualAttention`.
        """
        super().__init__()
        self.stages = nn.ModuleDict({name: DualAttention(width, **options) for name, width in channels.items()})

    @property
    def uses_supports(self) -> bool:
        """Whether there is a temporal branch."""
        return any(stage.temporal is not None for stage in self.stages.values())

    def project(
        self, features: dict[str, Tensor], valid: ValidCells | None = None
    ) -> dict[str, tuple[Tensor, Tensor]]:
        """Keys and values (N, d, H', W') of support frames for each stage; nothing without a temporal branch."""
        return {
            PREFIX + name: stage.temporal.project(features[name], valid and valid.of(features[name]))
            for name, stage in self.stages.items() if stage.temporal is not None
        }

    def forward(
        self,
        features: dict[str, Tensor],
        supports: dict[str, tuple[Tensor, Tensor]],
        valid: ValidCells | None = None,
    ) -> dict[str, Tensor]:
        """The attended maps.

        Args:
            features: name to (B, C, H, W).
            supports: what `project` gives, as (B or 1, T, d, H', W').
            valid: leaves the padding of the current frames out of the spatial branch.
        """
        attended = dict(features)
        for name, stage in self.stages.items():
            attended[name] = stage(
                features[name], supports.get(PREFIX + name), valid=valid and valid.of(features[name]))
        return attended
