"""Run-length encoded masks (COCO's form): encoding, decoding, areas, boxes and overlaps.

Letters: N, A, B number of masks, H height, W width. An RLE is `{"size": [H, W], "counts": c}`; runs are read in
column-major order and the first one counts background. `c` is COCO's compressed text (str or bytes) or a plain
list of run lengths; everything written here is compressed text (str), ready for json.

Masks are computed on as runs, by the native ops where they are compiled, and on pycocotools (rle_reference.py) where
they are not, or for masks above `MAX_PIXELS`. Polygons have no op here: pycocotools' rasterisation defines them.
"""

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import torch
from pycocotools import mask as coco_mask

from vis_projects.layers.native import has_native
from vis_projects.layers.rle_reference import (
    RLE,
    checked_rle,
    rle_area_reference,
    rle_boxes_reference,
    rle_decode_reference,
    rle_encode_reference,
    rle_iou_reference,
)
from vis_projects.layers.rle_table import MAX_PIXELS, MaskTable, pack_masks


def rle_encode(masks: torch.Tensor | np.ndarray) -> list[dict]:
    """Encodes binary masks.

    Args:
        masks: (N, H, W) bool or integer, any device; non-zero is foreground.

    Returns:
        N RLEs with `counts` as str.

    Raises:
        ValueError: if `masks` is not three-dimensional or is of a floating dtype.
    """
    masks = torch.as_tensor(masks)
    if masks.dim() != 3 or masks.is_floating_point():
        raise ValueError(f"rle_encode needs (N, H, W) bool or integer masks, got {tuple(masks.shape)} {masks.dtype}")
    if masks.dtype != torch.uint8:
        masks = masks.bool().view(torch.uint8)  # bool is one byte: no copy of masks that are bool already
    masks = masks.cpu().contiguous()
    if masks[0:1].numel() in range(1, MAX_PIXELS + 1) and has_native("rle_encode"):
        text, offsets = torch.ops.vis_projects.rle_encode(masks)
        text, size = text.numpy().tobytes().decode("ascii"), list(masks.shape[1:])
        bounds = offsets.tolist()
        return [{"size": size[:], "counts": text[begin:end]} for begin, end in zip(bounds, bounds[1:])]
    return rle_encode_reference(masks)


def to_compressed(rle: RLE) -> dict:
    """The same mask with `counts` as bytes, the form that pycocotools computes on.

    Raises:
        ValueError: if a key is missing or the runs of an uncompressed RLE do not cover H * W pixels.
    """
    if isinstance(rle, Mapping) and "size" in rle and isinstance(rle.get("counts"), (str, bytes)):
        (height, width), counts = rle["size"], rle["counts"]
        return {"size": [height, width], "counts": counts.encode("ascii") if isinstance(counts, str) else counts}
    return checked_rle(rle)


def rle_decode(rles: Sequence[RLE]) -> torch.Tensor:
    """Decodes RLEs of one size into a (N, H, W) bool tensor on the CPU; (0, 0, 0) for none.

    Raises:
        ValueError: if the sizes differ, or the runs of a mask are broken or do not cover its size.
    """
    if len(rles) == 0:
        return torch.zeros((0, 0, 0), dtype=torch.bool)
    height, width = _one_size("rle_decode", rles)
    return _run("rle_decode", lambda *masks: rle_decode_reference(*masks, height, width), rles)


def rle_area(rles: Sequence[RLE]) -> torch.Tensor:
    """Foreground pixels of each RLE, int64 (N,).

    Raises:
        ValueError: if the runs of a mask are broken or do not cover its size.
    """
    return _run("rle_area", rle_area_reference, rles)


def rle_boxes(rles: Sequence[RLE]) -> torch.Tensor:
    """Smallest boxes around the foreground, int64 (N, 4) XYXY in pixels, far sides exclusive; zeros without a pixel.

    Raises:
        ValueError: if the runs of a mask are broken or do not cover its size.
    """
    return _run("rle_boxes", rle_boxes_reference, rles)


def rle_iou(a: Sequence[RLE], b: Sequence[RLE]) -> torch.Tensor:
    """Intersection over union of all pairs, float64 (A, B); 0 where both masks are empty.

    Raises:
        ValueError: if the sizes differ, or the runs of a mask are broken or do not cover its size.
    """
    if len(a) == 0 or len(b) == 0:
        return torch.zeros((len(a), len(b)), dtype=torch.float64)
    _one_size("rle_iou", (*a, *b))
    return _run("rle_iou", rle_iou_reference, a, b)


def _one_size(op: str, rles: Sequence[RLE]) -> tuple[int, int]:
    for rle in rles:
        if not isinstance(rle, Mapping) or "size" not in rle:
            checked_rle(rle)  # says what is missing
    sizes = {tuple(rle["size"]) for rle in rles}
    if len(sizes) > 1:
        raise ValueError(f"{op} needs masks of one size, got {sorted(sizes)}")
    return next(iter(sizes))


def _run(op: str, reference: Callable, *masks: Sequence[RLE]) -> torch.Tensor:
    """The native op on packed masks; the reference, which says what is wrong, where they are broken or not packed."""
    if has_native(op):
        tables = [pack_masks(rles) for rles in masks]
        if all(table is not None and _all_present(table) for table in tables):
            try:
                return getattr(torch.ops.vis_projects, op)(*(x for t in tables for x in (t.buffer, t.rows)))
            except RuntimeError as error:
                reference(*masks)
                raise RuntimeError(f"{op}: the native op refuses what the reference takes ({error})") from error
    return reference(*masks)


def _all_present(table: MaskTable) -> bool:
    return bool((table.rows[:, 0] > 0).all())
