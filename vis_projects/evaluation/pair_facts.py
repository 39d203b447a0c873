"""How well each detection of a video fits each annotated track: as it is, where it is, and with its identity mended.

Letters: F frames, D detections and G ground-truth tracks of one video, of any class.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from vis_projects.evaluation.eval_track import EvalTrack
from vis_projects.evaluation.frame_overlaps import FrameOverlaps
from vis_projects.evaluation.track_iou import video_ious

LIES_ON_IOU = 0.5


@dataclass
class PairFacts:
    """Facts on all pairs of a video.

    A detection *lies on* the ground-truth track with which its IoU in a frame is highest, if that is at least
    `LIES_ON_IOU`.

    Attributes:
        track_iou: float64 (D, G), track IoU.
        own_iou: float64 (D, G), track IoU over the frames in which the detection is present. A short piece of a track
            that fits well has a high one.
        mended_iou: float64 (D, G), track IoU after the frames in which the detection lies on another ground-truth
            track are taken away from it and the best shape of any detection that overlaps by `LIES_ON_IOU` or more is
            put into each frame in which it now lacks the ground-truth track.
        frames_on: int64 (D, G), frames in which the detection lies on the track.
        frames_beside: int64 (D, D), frames in which both detections lie on the same track.
    """

    track_iou: np.ndarray
    own_iou: np.ndarray
    mended_iou: np.ndarray
    frames_on: np.ndarray
    frames_beside: np.ndarray

    def to_json(self) -> dict:
        """Plain values, zeros left out."""
        return {"size": list(self.track_iou.shape), **{name: _sparse(array) for name, array in vars(self).items()}}

    @classmethod
    def from_json(cls, content: Mapping) -> "PairFacts":
        """Reads what `to_json` gave."""
        d, g = content["size"]
        kinds = (((d, g), float),) * 3 + (((d, g), np.int64), ((d, d), np.int64))
        names = ("track_iou", "own_iou", "mended_iou", "frames_on", "frames_beside")
        return cls(*(_dense(content[name], *kind) for name, kind in zip(names, kinds)))


def pair_facts(
    detections: Sequence[EvalTrack], truths: Sequence[EvalTrack], overlaps: FrameOverlaps, iou_type: str = "segm"
) -> PairFacts:
    """Facts on the pairs of one video.

    Args:
        detections, truths: in the order of the rows and columns.
        overlaps: of just these.
        iou_type: "segm" or "bbox".
    """
    common = overlaps.common()
    present = overlaps.found_areas[:, None, :] > 0
    lies_on = _lies_on(overlaps.iou)
    on = lies_on[:, None, :] == np.arange(len(truths))[None, :, None]  # (F, G, D)
    # as floats counts stay exact and their product is fast
    flat = on.reshape(on.shape[0] * on.shape[1], on.shape[2]).astype(np.float64)
    return PairFacts(
        track_iou=_track_iou(detections, truths, overlaps, common, iou_type),
        own_iou=_summed_iou(common, _union(overlaps.truth_areas, overlaps.found_areas[:, None], common), present).T,
        mended_iou=_mended_iou(overlaps, common, lies_on).T,
        frames_on=on.sum(axis=0).T,
        frames_beside=(flat.T @ flat).astype(np.int64),
    )


def _track_iou(
    detections: Sequence[EvalTrack],
    truths: Sequence[EvalTrack],
    overlaps: FrameOverlaps,
    common: np.ndarray,
    iou_type: str,
) -> np.ndarray:
    """(D, G), what `video_ious` gives; of masks that are all as long and as large as the video, from their sums."""
    tracks = (*detections, *truths)
    sizes = {tuple(mask["size"]) for track in tracks for mask in track.shapes if mask} if iou_type == "segm" else ()
    if len(sizes) != 1 or any(len(track.shapes) != len(common) for track in tracks):
        return video_ious(detections, truths, iou_type)
    union = _union(overlaps.truth_areas, overlaps.found_areas[:, None], common)
    return _summed_iou(common, union, np.ones((1, 1, 1))).T


def _lies_on(iou: np.ndarray) -> np.ndarray:
    """int64 (F, D): the ground-truth track that a detection lies on, -1 where there is none."""
    if iou.shape[1] == 0:
        return np.full((iou.shape[0], iou.shape[2]), -1)
    return np.where(iou.max(axis=1) >= LIES_ON_IOU, iou.argmax(axis=1), -1)


def _union(truth_areas: np.ndarray, found_areas: np.ndarray, common: np.ndarray) -> np.ndarray:
    """(F, G, D): area of either, from areas (F, G) and (F, 1 or G, D)."""
    return truth_areas[:, :, None] + found_areas - common


def _summed_iou(common: np.ndarray, union: np.ndarray, frames: np.ndarray) -> np.ndarray:
    """(G, D): sum of the common area by the sum of the union, over the frames that count."""
    common, union = (common * frames).sum(axis=0), (union * frames).sum(axis=0)
    return np.divide(common, union, out=np.zeros(common.shape), where=union > 0)


def _mended_iou(overlaps: FrameOverlaps, common: np.ndarray, lies_on: np.ndarray) -> np.ndarray:
    """(G, D), see `PairFacts`."""
    _, num_truths, num_found = overlaps.iou.shape
    if num_truths == 0 or num_found == 0:
        return np.zeros((num_truths, num_found))
    truths = np.arange(num_truths)
    kept = (lies_on[:, None, :] == truths[None, :, None]) | (lies_on[:, None, :] < 0)
    kept &= overlaps.found_areas[:, None] > 0
    best = overlaps.iou.argmax(axis=2)  # (F, G)
    frames = np.arange(len(best))[:, None]
    lends = overlaps.iou.max(axis=2) >= LIES_ON_IOU
    lent_common = np.where(lends, common[frames, truths, best], 0)
    lent_area = np.where(lends, overlaps.found_areas[frames, best], 0)
    mended_common = np.where(kept, common, lent_common[:, :, None])
    mended_area = np.where(kept, overlaps.found_areas[:, None], lent_area[:, :, None])
    every_frame = np.ones((1, 1, 1))
    return _summed_iou(mended_common, _union(overlaps.truth_areas, mended_area, mended_common), every_frame)


def _sparse(array: np.ndarray) -> list:
    """[flat positions, values] of what is not 0."""
    flat = array.ravel()
    positions = np.flatnonzero(flat)
    return [positions.tolist(), flat[positions].tolist()]


def _dense(content: list, shape: tuple[int, int], dtype: type) -> np.ndarray:
    array = np.zeros(shape, dtype=dtype)
    array.ravel()[content[0]] = content[1]
    return array
