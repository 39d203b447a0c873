"""Counts the pixels that COCO's compressed RLE texts cover, without decoding a mask.

A number is written in base 32, low digits first, one character per digit: `48 + digit`, plus 32 where more digits
follow; bit 16 of the last digit is the sign. From the fourth number of a mask on, the difference to the number two
before is written.
"""

from collections.abc import Sequence

import numpy as np
from pycocotools import mask as coco_mask

ALPHABET = bytes(range(48, 48 + 64))


def count_runs(texts: Sequence[bytes]) -> tuple[np.ndarray, np.ndarray]:
    """Pixels that each RLE covers, and those of them in the foreground.

    The sum over all runs has to be compared with height x width before two masks meet in pycocotools, whose loops
    over runs do not end when the masks cover different numbers of pixels.

    Args:
        texts: N compressed counts.

    Returns:
        int64 (N,) pixels in all runs, int64 (N,) pixels in foreground runs. Both are -1 for a text that is no RLE: an
        unknown character, or a number without its last digit. A negative run makes the sums absurdly large.
    """
    total, foreground = (np.full(len(texts), -1, dtype=np.int64) for _ in range(2))
    known = [k for k, text in enumerate(texts) if not text.translate(None, ALPHABET) and (not text or text[-1] < 80)]
    if known:
        inside = _foreground([texts[k] for k in known])
        # with an empty run put in front, background and foreground change places
        total[known] = inside + _foreground([_with_empty_run(texts[k]) for k in known])
        foreground[known] = inside
    return total, foreground


def _foreground(texts: Sequence[bytes]) -> np.ndarray:
    areas = coco_mask.area([{"size": [1, 1], "counts": text} for text in texts])  # the size plays no part
    return np.asarray(areas).astype(np.int64)


def _with_empty_run(text: bytes) -> bytes:
    """The text of the same runs behind a run of length 0.

    All numbers move on by one. Only the third one, written in full so far, changes: it becomes the fourth, and with
    that a difference to the first of before.
    """
    first, end = _number(text, 0)
    _, start = _number(text, end)
    third, end = _number(text, start)
    if start == end:
        return b"0" + text
    return b"0" + text[:start] + _digits(third - first) + text[end:]


def _number(text: bytes, position: int) -> tuple[int, int]:
    """The number at a position and where the next one begins; 0 and the same position at the end of the text."""
    value = shift = 0
    while position < len(text):
        code = text[position] - 48
        position += 1
        value |= (code & 31) << shift
        shift += 5
        if not code & 32:
            return (value - (1 << shift) if code & 16 else value), position
    return value, position


def _digits(value: int) -> bytes:
    digits = bytearray()
    while True:
        digit, value = value & 31, value >> 5
        if value == (-1 if digit & 16 else 0):
            digits.append(48 + digit)
            return bytes(digits)
        digits.append(48 + 32 + digit)
