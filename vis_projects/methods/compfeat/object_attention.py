"""Object-level dual attention (BDA): RoI features attend to the whole support maps, and to themselves.

Letters: P RoIs of B images, C channels, d = C // 4, h x w bins of a RoI.
"""

from collections.abc import Sequence
from typing import Any

import torch
from detectron2.modeling.poolers import assign_boxes_to_levels
from detectron2.structures import Boxes
from torch import Tensor, nn

from vis_projects.methods.compfeat.dual_attention import DualAttention
from vis_projects.methods.compfeat.valid_cells import ValidCells

PREFIX = "object."
ASSIGNED = "assigned"


class ObjectAttention(nn.Module):
    """One dual attention for the RoIs of all levels: their box head is one too, so their features share a space.

    1x1 convolutions commute with the bilinear sampling of RoIAlign, so that queries of RoIs and keys of maps agree.
    """

    def __init__(self, channels: int, *, key_level: str, levels: Sequence[str], **options: Any) -> None:
        """
        Args:
            channels: C of RoIs and maps.
            key_level: a name of `levels`, several joined by "+", or "assigned": the level that a RoI is pooled from.
            levels: names of the maps that RoIs come from, from fine to coarse, "p<k>".
            options: of `DualAttention`.
        """
        super().__init__()
        self.attention = DualAttention(channels, **options)
        self.assigned = key_level == ASSIGNED
        self.levels = tuple(levels) if self.assigned else tuple(key_level.split("+"))
        unknown = [name for name in self.levels if name not in levels]
        if unknown:
            raise ValueError(f"MODEL.COMPFEAT.BDA.KEY_LEVEL is {key_level!r}; choose from {tuple(levels)}, several of "
                             f"them joined by '+', or {ASSIGNED!r}")

    @property
    def uses_supports(self) -> bool:
        """Whether there is a temporal branch."""
        return self.attention.temporal is not None

    def project(
        self, features: dict[str, Tensor], valid: ValidCells | None = None
    ) -> dict[str, tuple[Tensor, Tensor]]:
        """Keys and values of support frames, (N, d, H', W') each; nothing without a temporal branch.

        Args:
            features: name to (N, C, H', W').
            valid: leaves the padding of the frames out.

        Returns:
            one entry for each level of "assigned"; else a single one, the positions of several levels in one row.
        """
        if not self.uses_supports:
            return {}
        pairs = {
            PREFIX + name: self.attention.temporal.project(features[name], valid and valid.of(features[name]))
            for name in self.levels
        }
        if self.assigned or len(pairs) == 1:
            return pairs
        joined = (torch.cat([x.flatten(2) for x in maps], -1)[:, :, None] for maps in zip(*pairs.values()))
        return {PREFIX + "+".join(self.levels): tuple(joined)}

    def forward(
        self, rois: Tensor, boxes: Sequence[Boxes], supports: dict[str, tuple[Tensor, Tensor]]
    ) -> Tensor:
        """The attended RoI features.

        Args:
            rois: (P, C, h, w), image after image; P may be 0.
            boxes: B, where they were pooled, xyxy in network pixels.
            supports: what `project` gives, as (B, T, d, H', W').

        Returns:
            (P, C, h, w).
        """
        if not self.uses_supports:
            return self.attention(rois)
        image_index = image_numbers([len(x) for x in boxes], rois.device)
        if not self.assigned:
            (support,) = (pair for name, pair in supports.items() if name.startswith(PREFIX))
            return self.attention(rois, support, image_index)
        numbers = [int(name[1:]) for name in self.levels]
        of_level = assign_boxes_to_levels(list(boxes), min(numbers), max(numbers), 224, 4)
        parts, places = [], []
        for k, name in enumerate(self.levels):
            place = (of_level == k).nonzero().squeeze(1)
            parts.append(self.attention(rois[place], supports[PREFIX + name], image_index[place]))
            places.append(place)
        return torch.cat(parts)[torch.cat(places).argsort()]


def image_numbers(counts: Sequence[int], device: torch.device) -> Tensor:
    """The image of each row where image b has counts[b] of them, (sum of counts,) int64."""
    rows = torch.tensor(list(counts), dtype=torch.int64, device=device)
    return torch.arange(len(rows), device=device).repeat_interleave(rows)
