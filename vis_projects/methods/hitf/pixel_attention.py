"""Attention of pixels to pixels of one frame, inside the backbone: along rows and columns, or to the whole map.

Letters: B frames, C channels, H x W the map, h heads, n length of an axis.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from vis_projects.methods.hitf.attention import zero_init

PIXEL_ATTENTIONS, PIXEL_MODES = ("axial", "global", "none"), ("add", "replace")


class PixelAttention(nn.Module):
    """A residual bottleneck: 1x1, attention, 1x1 of weight zero at the start. What it adds keeps features positive."""

    def __init__(
        self, *, channels: int, kind: str, grid: tuple[int, int], heads: int, key_dim: int, value_dim: int
    ) -> None:
        """
        Args:
            channels: C.
            kind: "axial" or "global".
            grid: (H, W) that the tables of positions are made for; other sizes work too.
            heads: h, divides both widths.
            key_dim, value_dim: widths of keys and values over all heads.
        """
        super().__init__()
        self.reduce = nn.Conv2d(channels, value_dim, 1, bias=False)
        # over channels and pixels of a frame: the same whatever else is in the batch
        self.norm = nn.GroupNorm(1, value_dim)
        attention = AxialPair if kind == "axial" else GlobalAttention
        self.attention = attention(value_dim, grid=grid, heads=heads, key_dim=key_dim, value_dim=value_dim)
        self.expand = zero_init(nn.Conv2d(value_dim, channels, 1))

    def forward(self, features: Tensor) -> Tensor:
        """(B, C, H, W), not negative -> the same."""
        inner = torch.relu(self.norm(self.reduce(features)))
        return torch.relu(features + self.expand(torch.relu(self.attention(inner))))


class AxialPair(nn.Module):
    """Attention along columns, then along rows; each pixel sees the whole map through both."""

    def __init__(self, channels: int, *, grid: tuple[int, int], heads: int, key_dim: int, value_dim: int) -> None:
        super().__init__()
        self.columns = AxialAttention(channels, span=grid[0], heads=heads, key_dim=key_dim, value_dim=value_dim)
        self.rows = AxialAttention(value_dim, span=grid[1], heads=heads, key_dim=key_dim, value_dim=value_dim)

    def forward(self, x: Tensor) -> Tensor:
        x = self.columns(x.transpose(2, 3)).transpose(2, 3)
        return self.rows(x)


class AxialAttention(nn.Module):
    """Attention of each row to itself, with learned terms of relative position for queries, keys and values."""

    def __init__(self, channels: int, *, span: int, heads: int, key_dim: int, value_dim: int) -> None:
        """
        Args:
            channels: of the input.
            span: length of a row that the tables are made for; farther pixels share the outermost entries.
            heads, key_dim, value_dim: see `PixelAttention`.
        """
        super().__init__()
        self.heads, self.span = heads, span
        self.key_dim, self.value_dim = key_dim, value_dim
        self.project = nn.Conv2d(channels, 2 * key_dim + value_dim, 1, bias=False)
        for name, width in (("query", key_dim), ("key", key_dim), ("value", value_dim)):
            table = nn.Parameter(torch.empty(2 * span - 1, width // heads))
            nn.init.normal_(table, std=0.02)
            self.register_parameter(f"{name}_position", table)

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, H, W) -> (B, value_dim, H, W)."""
        batch, _, height, width = x.shape
        parts = self.project(x).split([self.key_dim, self.key_dim, self.value_dim], dim=1)
        # (B, H, heads, W, width of a head)
        query, key, value = (
            p.view(batch, self.heads, -1, height, width).permute(0, 3, 1, 4, 2) for p in parts
        )
        index = self._relative(width, x.device)
        query = query * (self.key_dim // self.heads) ** -0.5
        logits = query @ key.transpose(-1, -2)
        logits = logits + torch.einsum("bhnid,ijd->bhnij", query, self.query_position[index])
        logits = logits + torch.einsum("bhnjd,ijd->bhnij", key, self.key_position[index])
        weights = logits.softmax(dim=-1)
        out = weights @ value + torch.einsum("bhnij,ijd->bhnid", weights, self.value_position[index])
        return out.permute(0, 2, 4, 1, 3).reshape(batch, self.value_dim, height, width)

    def _relative(self, length: int, device: torch.device) -> Tensor:
        """int64 (n, n): table entry of the distance j - i."""
        place = torch.arange(length, device=device)
        return (place[None, :] - place[:, None]).clamp(1 - self.span, self.span - 1) + self.span - 1


class GlobalAttention(nn.Module):
    """Attention of each pixel to the whole map, with a learned table of positions."""

    def __init__(self, channels: int, *, grid: tuple[int, int], heads: int, key_dim: int, value_dim: int) -> None:
        super().__init__()
        self.position = nn.Parameter(torch.empty(1, channels, *grid))
        nn.init.normal_(self.position, std=0.02)
        self.query_key = nn.Linear(channels, 2 * key_dim)
        self.value = nn.Linear(channels, value_dim)
        self.heads = heads

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, H, W) -> (B, value_dim, H, W)."""
        placed = x + resize_table(self.position, x.shape[-2:])
        query, key = self.query_key(placed.flatten(2).transpose(1, 2)).chunk(2, dim=2)
        parts = (query, key, self.value(x.flatten(2).transpose(1, 2)))
        out = F.scaled_dot_product_attention(*(p.unflatten(2, (self.heads, -1)).transpose(1, 2) for p in parts))
        return out.transpose(2, 3).flatten(1, 2).unflatten(2, x.shape[-2:])


def resize_table(table: Tensor, size: tuple[int, int]) -> Tensor:
    """(N, C, h, w) learned values at the places of a map -> (N, C, H, W), bilinear between the corners."""
    if tuple(table.shape[-2:]) == tuple(size):
        return table
    return F.interpolate(table, size=tuple(size), mode="bilinear", align_corners=True)
