"""Identity switches and fragmentations, after the CLEAR MOT metrics (Bernardin and Stiefelhagen, 2008)."""

import numpy as np

from vis_projects.evaluation.frame_matching import match_frames


def switches_and_fragments(
    iou: np.ndarray, truth_present: np.ndarray, threshold: float = 0.5
) -> tuple[int, int]:
    """(identity switches, fragmentations) of one video and class.

    A switch: an object is matched to another prediction than when it was last matched, however long ago that was.
    A fragmentation: an object that has been matched is not, although it is there, and is matched again later; frames
    in which the object itself is absent do not break it.

    Args:
        iou: float64 (F, G, D), 0 where one of the two is absent.
        truth_present: bool (F, G).
        threshold: IoU from which on a pair counts.
    """
    last: dict[int, int] = {}
    lost: set[int] = set()
    switches = fragments = 0
    for present, pairs in zip(truth_present, match_frames(iou, threshold)):
        for g, d in pairs:
            switches += last.get(g, d) != d
            fragments += g in lost
            last[g] = d
            lost.discard(g)
        matched = {g for g, _ in pairs}
        lost.update(g for g in np.flatnonzero(present).tolist() if g in last and g not in matched)
    return switches, fragments
