"""Run-length encoded masks (COCO's form) and their areas and overlaps.

Letters: N, A, B number of masks, H height, W width. An RLE is `{"size": [H, W], "counts": c}`; runs are read in
column-major order and the first one counts background. `c` is COCO's compressed text (str or bytes) or a plain
list of run lengths; everything written here is compressed text (str), ready for json.
"""

from collections.abc import Mapping, Sequence

import numpy as np
import torch
from pycocotools import mask as coco_mask

from vis_projects.layers.native import has_native

RLE = Mapping[str, object]


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
    masks = (masks != 0).to(device="cpu", dtype=torch.uint8).contiguous()
    if masks[0:1].numel() == 0 or not has_native("rle_encode"):
        return rle_encode_reference(masks)
    text, offsets = torch.ops.vis_projects.rle_encode(masks)
    text, size = text.numpy().tobytes().decode("ascii"), list(masks.shape[1:])
    bounds = offsets.tolist()
    return [{"size": size[:], "counts": text[begin:end]} for begin, end in zip(bounds, bounds[1:])]


def rle_encode_reference(masks: torch.Tensor) -> list[dict]:
    """`rle_encode` on pycocotools for CPU uint8 masks; the oracle of the native op."""
    height, width = masks.shape[1:]
    encoded = []
    for mask in masks.numpy():
        if mask.size == 0:
            encoded.append({"size": [height, width], "counts": "0"})
            continue
        counts = coco_mask.encode(np.asfortranarray(mask))["counts"]
        encoded.append({"size": [height, width], "counts": counts.decode("ascii")})
    return encoded


def to_compressed(rle: RLE) -> dict:
    """The same mask with `counts` as bytes, the form that pycocotools computes on.

    Raises:
        ValueError: if a key is missing or the runs of an uncompressed RLE do not cover H * W pixels.
    """
    if not isinstance(rle, Mapping) or "size" not in rle or "counts" not in rle:
        raise ValueError(f"an RLE needs the keys 'size' and 'counts', got {rle!r:.80}")
    (height, width), counts = rle["size"], rle["counts"]
    if isinstance(counts, str):
        return {"size": [height, width], "counts": counts.encode("ascii")}
    if isinstance(counts, bytes):
        return {"size": [height, width], "counts": counts}
    if sum(counts) != height * width or min(counts, default=0) < 0:
        raise ValueError(f"the runs of an RLE add up to {sum(counts)}, its size {height} x {width} needs {height * width}")
    return coco_mask.frPyObjects({"size": [height, width], "counts": list(counts)}, height, width)


def rle_decode(rles: Sequence[RLE]) -> torch.Tensor:
    """Decodes RLEs of one size into a (N, H, W) bool tensor on the CPU; (0, 0, 0) for none.

    Raises:
        ValueError: if the sizes differ.
    """
    if len(rles) == 0:
        return torch.zeros((0, 0, 0), dtype=torch.bool)
    sizes = {tuple(rle["size"]) for rle in rles}
    if len(sizes) > 1:
        raise ValueError(f"rle_decode needs masks of one size, got {sorted(sizes)}")
    (height, width) = next(iter(sizes))
    if height * width == 0:
        return torch.zeros((len(rles), height, width), dtype=torch.bool)
    dense = coco_mask.decode([to_compressed(rle) for rle in rles])  # (H, W, N) in column-major order
    return torch.from_numpy(np.ascontiguousarray(dense.transpose(2, 0, 1))).bool()


def rle_area(rles: Sequence[RLE]) -> torch.Tensor:
    """Foreground pixels of each RLE, int64 (N,)."""
    if len(rles) == 0:
        return torch.zeros(0, dtype=torch.int64)
    areas = coco_mask.area([to_compressed(rle) for rle in rles])
    return torch.from_numpy(np.asarray(areas, dtype=np.int64))


def rle_iou(a: Sequence[RLE], b: Sequence[RLE]) -> torch.Tensor:
    """Intersection over union of all pairs, float64 (A, B); 0 where both masks are empty.

    Raises:
        ValueError: if the sizes differ.
    """
    if len(a) == 0 or len(b) == 0:
        return torch.zeros((len(a), len(b)), dtype=torch.float64)
    sizes = {tuple(rle["size"]) for rle in (*a, *b)}
    if len(sizes) > 1:
        raise ValueError(f"rle_iou needs masks of one size, got {sorted(sizes)}")
    overlap = coco_mask.iou([to_compressed(x) for x in a], [to_compressed(x) for x in b], [False] * len(b))
    return torch.from_numpy(np.nan_to_num(np.asarray(overlap, dtype=np.float64)))
