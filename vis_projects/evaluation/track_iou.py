"""Intersection over union of whole tracks: pixels in common over all frames, by pixels of either.

Letters: D detections and G ground-truth tracks of one video and category, T frames.
"""

from collections.abc import Sequence

import numpy as np
from pycocotools import mask as coco_mask

from vis_projects.evaluation.eval_track import EvalTrack


def video_ious(detections: Sequence[EvalTrack], truths: Sequence[EvalTrack], iou_type: str = "segm") -> np.ndarray:
    """Track IoU of every pair: sum over frames of the intersections by the sum of the unions.

    Frames beyond the shorter of the two lists do not count; a frame where only one has a shape adds its area to the
    union; crowd ground truth has the same IoU as any other. Masks of different sizes in a frame count neither way.

    Returns:
        float64 (D, G); 0 where no frame of a pair has a pixel.
    """
    if not detections or not truths:
        return np.zeros((len(detections), len(truths)))
    overlap = _mask_overlap if iou_type == "segm" else _box_overlap
    intersection, excluded = overlap(detections, truths)
    union = _summed_areas(detections, truths) - excluded - intersection
    return np.divide(intersection, union, out=np.zeros(union.shape), where=union > 0)


def _summed_areas(detections: Sequence[EvalTrack], truths: Sequence[EvalTrack]) -> np.ndarray:
    """(D, G): area of both tracks over the frames that both lists have."""
    d_lengths = np.array([len(track.areas) for track in detections])
    g_lengths = np.array([len(track.areas) for track in truths])
    frames = np.minimum(d_lengths[:, None], g_lengths[None, :])
    d_sums = [np.concatenate(([0], np.cumsum(track.areas))) for track in detections]
    g_sums = [np.concatenate(([0], np.cumsum(track.areas))) for track in truths]
    return np.array([[d[t] + g[t] for g, t in zip(g_sums, row)] for d, row in zip(d_sums, frames)])


def _mask_overlap(detections: Sequence[EvalTrack], truths: Sequence[EvalTrack]) -> tuple[np.ndarray, np.ndarray]:
    """int64 (D, G): pixels in common, and areas that do not count because the sizes differ."""
    intersection = np.zeros((len(detections), len(truths)), dtype=np.int64)
    excluded = np.zeros_like(intersection)
    for t in range(min(max(len(track.shapes) for track in tracks) for tracks in (detections, truths))):
        rows, columns = _with_mask(detections, t), _with_mask(truths, t)
        if not rows or not columns:
            continue
        d_masks, g_masks = [detections[k].shapes[t] for k in rows], [truths[k].shapes[t] for k in columns]
        areas = np.array([detections[k].areas[t] for k in rows])
        # with the crowd flag pycocotools divides by the area of the detection alone: times the area, an integer again
        shares = np.asarray(coco_mask.iou(d_masks, g_masks, [1] * len(g_masks)))
        common = np.rint(np.where(areas[:, None] > 0, shares, 0) * areas[:, None]).astype(np.int64)
        differ = _different_sizes(d_masks, g_masks)
        block = np.ix_(rows, columns)
        if differ is not None:
            common[differ] = 0
            both = areas[:, None] + np.array([truths[k].areas[t] for k in columns])[None, :]
            excluded[block] += np.where(differ, both, 0)
        intersection[block] += common
    return intersection, excluded


def _with_mask(tracks: Sequence[EvalTrack], t: int) -> list[int]:
    """Tracks with a mask in frame t, be it empty."""
    return [k for k, track in enumerate(tracks) if t < len(track.shapes) and track.shapes[t] is not None]


def _different_sizes(d_masks: list[dict], g_masks: list[dict]) -> np.ndarray | None:
    """bool (D, G) pairs of different size, None where all are equal."""
    first = d_masks[0]["size"]
    if all(mask["size"] == first for mask in d_masks) and all(mask["size"] == first for mask in g_masks):
        return None
    return np.array([[d["size"] != g["size"] for g in g_masks] for d in d_masks])


def _box_overlap(detections: Sequence[EvalTrack], truths: Sequence[EvalTrack]) -> tuple[np.ndarray, np.ndarray]:
    """float64 (D, G): box area in common, and zeros."""
    intersection = np.zeros((len(detections), len(truths)))
    for i, detection in enumerate(detections):
        for j, truth in enumerate(truths):
            frames = min(len(detection.shapes), len(truth.shapes))
            d, g = detection.shapes[:frames], truth.shapes[:frames]
            low = np.maximum(d[:, :2], g[:, :2])
            high = np.minimum(d[:, :2] + d[:, 2:], g[:, :2] + g[:, 2:])
            intersection[i, j] = np.clip(high - low, 0, None).prod(axis=1).sum()
    return intersection, np.zeros_like(intersection)
