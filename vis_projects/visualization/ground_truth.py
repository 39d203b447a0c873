"""Annotations of a video in the form of results, so that both are drawn alike."""

from collections.abc import Mapping

import numpy as np
from pycocotools import mask as coco_mask

from vis_projects.layers import to_compressed
from vis_projects.structures import Track, VideoResults


def truth_results(record: Mapping) -> VideoResults:
    """The ground truth of a video as `VideoResults` with score 1.

    Args:
        record: dict of a video as the data set gives it: `video_id`, `height`, `width`, `length` and `annotations`, T
            lists of dicts with `id`, `category_id` and `segmentation` (polygons or RLE); without annotations the
            result has no tracks.
    """
    height, width = record["height"], record["width"]
    tracks: dict[int, Track] = {}
    for t, objects in enumerate(record.get("annotations") or ()):
        for item in objects:
            rle = _compress(item["segmentation"], height, width)
            track = tracks.setdefault(item["id"], Track(item["id"], item["category_id"], 1.0))
            track.segmentations[t] = {"size": [height, width], "counts": rle["counts"].decode("ascii")}
            x, y, w, h = (float(v) for v in np.asarray(coco_mask.toBbox(rle)))
            track.boxes[t] = (x, y, x + w, y + h)
            track.frame_scores[t] = 1.0
    return VideoResults(record["video_id"], height, width, record["length"], [tracks[i] for i in sorted(tracks)])


def _compress(segmentation: object, height: int, width: int) -> dict:
    if isinstance(segmentation, Mapping):
        return to_compressed(segmentation)
    return coco_mask.merge(coco_mask.frPyObjects(segmentation, height, width))
