"""What to point out when a result is drawn beside the ground truth: missed objects, false finds, id switches."""

from collections.abc import Iterator

import numpy as np

from vis_projects.evaluation.frame_matching import match_frames
from vis_projects.layers import rle_iou
from vis_projects.structures import VideoResults

Marks = dict[int, str]


def frame_marks(truth: VideoResults, found: VideoResults, threshold: float = 0.5) -> list[tuple[Marks, Marks]]:
    """Marks of every frame of a video. Classes play no part; masks are compared as they are.

    Args:
        truth: annotations.
        found: predictions of the same video, those that are to be judged.
        threshold: mask IoU from which on a prediction stands for an object.

    Returns:
        for each frame (track id -> "missed" of the annotations, track id -> "false" or "switch" of the predictions).
        "switch": the object was matched to another prediction when it was last matched.

    Raises:
        ValueError: the two differ in length or in the size of their masks.
    """
    if truth.length != found.length:
        raise ValueError(f"video {truth.video_id}: {truth.length} annotated frames, {found.length} predicted ones")
    last: dict[int, int] = {}
    marks = []
    for t, pairs in enumerate(match_frames(_overlaps(truth, found), threshold)):
        missed = {track.track_id: "missed" for track in truth.tracks if t in track.segmentations}
        false = {track.track_id: "false" for track in found.tracks if t in track.segmentations}
        for g, d in pairs:
            del missed[truth.tracks[g].track_id], false[found.tracks[d].track_id]
            if last.get(g, d) != d:
                false[found.tracks[d].track_id] = "switch"
            last[g] = d
        marks.append((missed, false))
    return marks


def _overlaps(truth: VideoResults, found: VideoResults) -> Iterator[np.ndarray]:
    """float64 (G, D) mask IoU of each frame, 0 where one of the two is absent."""
    for t in range(truth.length):
        overlap = np.zeros((len(truth.tracks), len(found.tracks)))
        rows, columns = (
            [k for k, track in enumerate(side.tracks) if t in track.segmentations] for side in (truth, found)
        )
        if rows and columns:
            masks = [[side.tracks[k].segmentations[t] for k in ks] for side, ks in ((truth, rows), (found, columns))]
            overlap[np.ix_(rows, columns)] = rle_iou(*masks).numpy()
        yield overlap
