"""Counts the pixels that COCO's compressed RLE texts cover, without decoding a mask."""

from collections.abc import Sequence

import numpy as np

from vis_projects.layers.rle_reference import read_numbers


def count_runs(texts: Sequence[bytes]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Pixels that each RLE covers, those of them in the foreground, and its shortest run.

    No run may be negative and the sum over all runs has to be height x width before two masks meet in pycocotools:
    its numbers are unsigned and of 32 bits, and its loops over runs do not end when the masks cover different numbers
    of pixels.

    Args:
        texts: N compressed counts.

    Returns:
        int64 (N,) pixels in all runs, int64 (N,) pixels in foreground runs, int64 (N,) pixels in the shortest run, 0
        without runs. For a text that is no RLE (see `read_numbers`) -1, -1 and 0.
    """
    try:
        numbers, ends = read_numbers(texts)
    except ValueError:
        if len(texts) == 1:
            return np.array([-1]), np.array([-1]), np.array([0])
        return tuple(map(np.concatenate, zip(*(count_runs([text]) for text in texts))))
    total, foreground, shortest = (np.zeros(len(texts), dtype=np.int64) for _ in range(3))
    bounds = np.searchsorted(ends, np.cumsum([0, *map(len, texts)])).tolist()
    for k, (begin, end) in enumerate(zip(bounds, bounds[1:])):
        # every second run from the second and from the third on; the first three are written in full
        inside, outside = numbers[begin + 1 : end : 2].cumsum(), numbers[begin + 2 : end : 2].cumsum()
        first = numbers[begin:end][:1]
        foreground[k] = inside.sum()
        total[k] = foreground[k] + first.sum() + outside.sum()
        shortest[k] = min((part.min() for part in (first, inside, outside) if part.size), default=0)
    return total, foreground, shortest
