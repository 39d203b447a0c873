"""Learned position encodings of the inter-frame attention: place in the map or slot of the code, and frame.

Letters: R reference frames, n frames asked for, L slots, D width of the code, A width of the pixels, H x W the map.
"""

import torch
from torch import Tensor, nn

from vis_projects.methods.hitf.pixel_attention import resize_table

ENCODINGS = ("factorised", "full")


class TemporalPositions(nn.Module):
    """Encodings of the current frame, delta = 0, and of the frames before it, delta = 1 .. R."""

    def __init__(
        self, *, num_references: int, num_slots: int, code_dim: int, attn_dim: int, grid: tuple[int, int],
        kind: str = "factorised",
    ) -> None:
        """
        Args:
            num_references: R.
            num_slots, code_dim, attn_dim: L, D, A.
            grid: (H, W) of the tables; they are resized for maps of another size.
            kind: "factorised": a table of places plus one of frames; "full": a table of places for each frame.

        Raises:
            ValueError: another kind.
        """
        super().__init__()
        if kind not in ENCODINGS:
            raise ValueError(f"MODEL.HITF.PE is {kind!r}; choose from {ENCODINGS}")
        frames, self.factorised = num_references + 1, kind == "factorised"
        tables = 1 if self.factorised else frames
        self.places = _table(tables, attn_dim, *grid)
        self.slots = _table(tables, num_slots, code_dim)
        if self.factorised:
            self.pixel_frames, self.code_frames = _table(frames, attn_dim), _table(frames, code_dim)

    def forward(self, deltas: Tensor, size: tuple[int, int]) -> tuple[Tensor, Tensor]:
        """
        Args:
            deltas: int64 (n,) frames back, 0 .. R.
            size: (H, W) of the map.

        Returns:
            (n, HW, A) of pixels, (n, L, D) of codes.
        """
        if self.factorised:
            places = resize_table(self.places, size).flatten(2).transpose(1, 2)
            return places + self.pixel_frames[deltas][:, None], self.slots + self.code_frames[deltas][:, None]
        return resize_table(self.places[deltas], size).flatten(2).transpose(1, 2), self.slots[deltas]


def _table(*shape: int) -> nn.Parameter:
    return nn.Parameter(nn.init.normal_(torch.empty(shape), std=0.02))
