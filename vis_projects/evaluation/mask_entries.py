"""Turns the `segmentations` list of a json entry into masks that pycocotools computes on, checked first.

Accepted per frame: null (or anything empty) for absent, RLE with compressed text or a list of run lengths, polygons.
"""

from collections.abc import Mapping, Sequence

import numpy as np
from pycocotools import mask as coco_mask

from vis_projects.evaluation.errors import EvaluationInputError, shorten
from vis_projects.evaluation.run_lengths import count_runs

Mask = dict


def read_masks(entries: object, place: str, size: tuple[int, int]) -> tuple[list[Mask | None], np.ndarray]:
    """Masks of one track.

    Args:
        entries: list with one entry per frame.
        place: what the list is called in messages.
        size: (height, width) of the video, the canvas of polygons.

    Returns:
        T masks `{"size": [h, w], "counts": bytes}` or None, and their areas in pixels, int64 (T,), 0 where absent.

    Raises:
        EvaluationInputError: an entry is none of the accepted kinds, or its runs do not cover its size.
    """
    if not isinstance(entries, Sequence) or isinstance(entries, (str, bytes)):
        raise EvaluationInputError(
            f"{place} is {shorten(entries)}; give a list with one entry per frame, null where the object is absent"
        )
    masks = [_read_mask(entry, f"{place}[{t}]", size) if entry else None for t, entry in enumerate(entries)]
    present = [t for t, mask in enumerate(masks) if mask is not None]
    areas = np.zeros(len(masks), dtype=np.int64)
    total, foreground, shortest = count_runs([masks[t]["counts"] for t in present])
    for t, pixels, least in zip(present, total.tolist(), shortest.tolist()):
        height, width = masks[t]["size"]
        if pixels < 0 or least < 0:
            reason = "has a negative run" if least < 0 else "is no compressed RLE text"
            raise EvaluationInputError(
                f"{place}[{t}].counts {shorten(masks[t]['counts'])} {reason}; write what pycocotools.mask.encode "
                "gives, decoded to ascii"
            )
        if pixels != height * width:
            raise EvaluationInputError(
                f"{place}[{t}]: the runs of counts cover {pixels} pixels, size {height} x {width} has "
                f"{height * width}; encode the mask at the size that it states"
            )
    areas[present] = foreground
    return masks, areas


def _read_mask(entry: object, place: str, size: tuple[int, int]) -> Mask:
    if isinstance(entry, Mapping):
        return _read_rle(entry, place)
    if isinstance(entry, Sequence) and not isinstance(entry, (str, bytes)):
        return _read_polygons(entry, place, size)
    raise EvaluationInputError(f"{place} is {shorten(entry)}; give an RLE, a list of polygons, or null")


def _read_rle(entry: Mapping, place: str) -> Mask:
    size, counts = entry.get("size"), entry.get("counts")
    if not isinstance(size, Sequence) or list(map(_is_length, size)) != [True, True]:
        raise EvaluationInputError(f"{place}.size is {shorten(size)}; give [height, width] in pixels")
    size = [int(s) for s in size]
    if isinstance(counts, str):
        if not counts.isascii():
            raise EvaluationInputError(f"{place}.counts {shorten(counts)} has characters that no RLE text has")
        return {"size": size, "counts": counts.encode("ascii")}
    if isinstance(counts, bytes):
        return {"size": size, "counts": counts}
    runs = np.asarray(counts if isinstance(counts, Sequence) else np.nan)
    if runs.ndim != 1 or (runs.size and (runs.dtype.kind not in "iu" or runs.min() < 0)):
        raise EvaluationInputError(f"{place}.counts is {shorten(counts)}; give RLE text or a list of run lengths >= 0")
    covered = int(runs.sum(dtype=np.float64))  # int64 could wrap round to the right sum
    if covered != size[0] * size[1]:
        raise EvaluationInputError(
            f"{place}: the runs of counts cover {covered} pixels, size {size[0]} x {size[1]} has "
            f"{size[0] * size[1]}; encode the mask at the size that it states"
        )
    return {"size": size, "counts": coco_mask.frPyObjects({"size": size, "counts": list(counts)}, *size)["counts"]}


def _read_polygons(entry: Sequence, place: str, size: tuple[int, int]) -> Mask:
    for k, polygon in enumerate(entry):
        numbers = isinstance(polygon, Sequence) and not isinstance(polygon, str) and all(map(_is_number, polygon))
        if not numbers or len(polygon) < 6 or len(polygon) % 2:
            raise EvaluationInputError(
                f"{place}[{k}] is {shorten(polygon)}; a polygon is a list [x0, y0, x1, y1, x2, y2, ...] of at least "
                "three corners"
            )
    parts = coco_mask.frPyObjects([[float(v) for v in polygon] for polygon in entry], *size)
    merged = coco_mask.merge(parts)
    return {"size": list(size), "counts": merged["counts"]}


def _is_length(value: object) -> bool:
    return isinstance(value, (int, np.integer)) and not isinstance(value, bool) and value >= 0


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float, np.number)) and not isinstance(value, bool) and bool(np.isfinite(value))
