"""Which prediction stands for which object in each frame, after the rules of the CLEAR MOT metrics.

Bernardin and Stiefelhagen, Evaluating Multiple Object Tracking Performance, section 2.1.3.
"""

from collections.abc import Iterable, Iterator

import numpy as np
from scipy.optimize import linear_sum_assignment

# pairs that count outweigh any sum of overlaps, kept pairs outweigh any new ones
_KEPT = 1e6


def match_frames(overlaps: Iterable[np.ndarray], threshold: float = 0.5) -> Iterator[list[tuple[int, int]]]:
    """Pairs of each frame.

    A pair of the last frame in which the object was matched is kept while it overlaps enough; the rest is assigned so
    that as many pairs as possible count and then so that their overlaps add up to the most.

    Args:
        overlaps: for each frame float (G, D), the overlap of each object with each prediction; row g and column d are
            the same object and prediction in all frames, with overlap 0 where one of them is absent.
        threshold: overlap from which on a pair counts, above 0.

    Yields:
        (object, prediction) index pairs in ascending object.
    """
    last: dict[int, int] = {}
    for overlap in overlaps:
        counts = overlap >= threshold
        gain = np.where(counts, 1e3 + overlap, 0.0)
        for g, d in last.items():
            if counts[g, d]:
                gain[g, d] += _KEPT
        rows, columns = linear_sum_assignment(gain, maximize=True)
        pairs = [(int(g), int(d)) for g, d in zip(rows, columns) if counts[g, d]]
        last.update(pairs)
        yield pairs
