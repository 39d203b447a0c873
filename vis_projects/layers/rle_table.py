"""Run-length encoded masks packed into two tensors, the form that the native ops take."""

from array import array
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch

ABSENT, TEXT, JSON_TEXT, JSON_LIST, COUNTS = range(5)  # as csrc/rle/masks.h numbers them
MAX_PIXELS = 2**29 - 1  # larger masks are left to the references


@dataclass
class MaskTable:
    """N masks.

    Attributes:
        buffer: uint8, what their runs are written in.
        rows: int64 (N, 5): notation, height, width, and where their runs begin and end in the buffer.
    """

    buffer: torch.Tensor
    rows: torch.Tensor


def pack_masks(rles: Sequence[Mapping | None]) -> MaskTable | None:
    """Packs masks; anything empty counts as an absent one. None where an entry is not of a plain form.

    Plain are a size of two ints of at most `MAX_PIXELS` pixels, and counts as text or a list of ints. The runs are not
    looked at.
    """
    parts: list[bytes] = []
    rows: list[tuple[int, int, int, int, int]] = []
    at = 0
    try:
        for rle in rles:
            if not rle:
                rows.append((ABSENT, 0, 0, 0, 0))
                continue
            (height, width), counts = rle["size"], rle["counts"]
            if type(height) is not int or type(width) is not int or not 0 <= height * width <= MAX_PIXELS or height < 0:
                return None
            notation, part = TEXT, counts
            if isinstance(counts, str):
                part = counts.encode("ascii")
            elif not isinstance(counts, bytes):
                if not isinstance(counts, (list, tuple)) or (counts and type(counts[0]) is bool):
                    return None
                notation, part = COUNTS, array("I", counts).tobytes()
            rows.append((notation, height, width, at, at + len(part)))
            parts.append(part)
            at += len(part)
    except (KeyError, TypeError, ValueError, OverflowError):  # a key is missing, or something is of another type
        return None
    buffer = np.frombuffer(bytearray().join(parts), dtype=np.uint8)
    return MaskTable(torch.from_numpy(buffer), torch.tensor(rows, dtype=torch.int64).reshape(len(rows), 5))
