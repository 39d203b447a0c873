"""The anchors of STMask: one shape per kernel of the head and scale, in cells of the level (FCA, section 3.2)."""

import math
from collections.abc import Sequence
from functools import lru_cache

import torch
from torch import Tensor

MODES = ("kernel", "sqrt_ratio", "area_ratio")
BASE_CELLS = 3  # side of a square anchor


def anchor_shapes(
    kernels: Sequence[Sequence[int]], mode: str, ratios: Sequence[float], scales: Sequence[float]
) -> tuple[tuple[tuple[float, float], ...], ...]:
    """(width, height) in cells of the anchors of each kernel.

    Args:
        kernels: (height, width) of each.
        mode: "kernel": the kernel's own footprint, as the released code has it; "area_ratio": its shape at the area of
            3 x 3 cells, as the paper describes it; "sqrt_ratio": 3 x 3 cells at the kernel's entry of `ratios`.
        ratios: width : height, one per kernel; read by "sqrt_ratio" only.
        scales: sizes of each kernel's anchors.

    Returns:
        per kernel the shapes of its anchors, one per scale.

    Raises:
        ValueError: unknown mode, an even or non-positive kernel, or another number of ratios than of kernels.
    """
    if mode not in MODES:
        raise ValueError(f"MODEL.STMASK.ANCHOR.MODE is {mode!r}; choose from {MODES}")
    if not kernels or any(len(kernel) != 2 or min(kernel) < 1 for kernel in kernels):
        raise ValueError(f"MODEL.STMASK.FCA.KERNELS is {kernels}; give (height, width) of each kernel, 1 or more")
    if not scales or min(scales) <= 0:
        raise ValueError(f"MODEL.STMASK.ANCHOR.SCALES_PER_KERNEL is {scales}; give positive numbers")
    if mode == "sqrt_ratio" and len(ratios) != len(kernels):
        raise ValueError(f"MODEL.STMASK.ANCHOR.RATIOS has {len(ratios)} entries for {len(kernels)} kernels of "
                         "MODEL.STMASK.FCA.KERNELS; give one per kernel")
    shapes = []
    for index, (height, width) in enumerate(kernels):
        if mode != "kernel":
            root = math.sqrt(ratios[index] if mode == "sqrt_ratio" else width / height)
            height, width = BASE_CELLS / root, BASE_CELLS * root
        shapes.append(tuple((float(width * scale), float(height * scale)) for scale in scales))
    return tuple(shapes)


@lru_cache(maxsize=16)
def level_anchors(
    shapes: tuple[tuple[tuple[float, float], ...], ...], sizes: tuple[tuple[int, int], ...], device: torch.device
) -> Tensor:
    """Anchors of all levels, not clipped; the same tensor for the same arguments, so do not write to it.

    Args:
        shapes: of `anchor_shapes`.
        sizes: (h, w) of each level.
        device: of the result.

    Returns:
        float32 (A, 4) cxcywh as fractions of the image: level by level, cell by cell in rows, kernel by kernel, scale
        by scale.
    """
    flat = torch.tensor([shape for kernel in shapes for shape in kernel], device=device)
    anchors = []
    for height, width in sizes:
        cells = torch.tensor([width, height], dtype=torch.float32, device=device)
        y, x = torch.meshgrid(
            torch.arange(height, device=device) + 0.5, torch.arange(width, device=device) + 0.5, indexing="ij"
        )
        centers = (torch.stack([x, y], dim=-1) / cells)[:, :, None].expand(-1, -1, len(flat), -1)
        anchors.append(torch.cat([centers, (flat / cells).expand_as(centers)], dim=-1).reshape(-1, 4))
    return torch.cat(anchors)
