"""The run-length ops on pycocotools: used where nothing was compiled, and the oracle of the native ones.

pycocotools trusts its input: it reads past the end of a text that stops within a number, its loops over two masks do
not end when these cover different numbers of pixels, and stop early where both have an empty run at the same place. So
runs are read and checked here first, and written anew where one is empty.
"""

from collections.abc import Mapping, Sequence

import numpy as np
import torch
from pycocotools import mask as coco_mask

RLE = Mapping[str, object]
MAX_DIGITS = 6  # of a number in a text: 30 bits with the sign, as far as pycocotools gets it right


def rle_encode_reference(masks: torch.Tensor) -> list[dict]:
    """`rle_encode` for CPU masks, uint8 or bool."""
    height, width = masks.shape[1:]
    encoded = []
    for mask in masks.numpy():
        if mask.size == 0:
            encoded.append({"size": [height, width], "counts": "0"})
            continue
        counts = coco_mask.encode(np.asfortranarray(mask != 0, dtype=np.uint8))["counts"]
        encoded.append({"size": [height, width], "counts": counts.decode("ascii")})
    return encoded


def rle_decode_reference(rles: Sequence[RLE], height: int, width: int) -> torch.Tensor:
    """`rle_decode` for masks of one size."""
    checked = [checked_rle(rle) for rle in rles]
    if height * width == 0 or not rles:
        return torch.zeros((len(rles), height, width), dtype=torch.bool)
    dense = coco_mask.decode(checked)  # (H, W, N) in column-major order
    return torch.from_numpy(np.ascontiguousarray(dense.transpose(2, 0, 1))).bool()


def rle_area_reference(rles: Sequence[RLE]) -> torch.Tensor:
    """`rle_area`."""
    areas = coco_mask.area([checked_rle(rle) for rle in rles]) if rles else ()
    return torch.from_numpy(np.asarray(areas, dtype=np.int64))


def rle_boxes_reference(rles: Sequence[RLE]) -> torch.Tensor:
    """`rle_boxes`."""
    boxes = torch.zeros((len(rles), 4), dtype=torch.int64)
    for k, rle in enumerate(rles):
        checked = checked_rle(rle)
        if coco_mask.area(checked):
            x, y, w, h = (int(value) for value in coco_mask.toBbox(checked))
            boxes[k] = torch.tensor([x, y, x + w, y + h])
    return boxes


def rle_iou_reference(a: Sequence[RLE], b: Sequence[RLE]) -> torch.Tensor:
    """`rle_iou` for masks of one size."""
    checked = [checked_rle(rle) for rle in (*a, *b)]
    if not a or not b:
        return torch.zeros((len(a), len(b)), dtype=torch.float64)
    overlap = coco_mask.iou(checked[: len(a)], checked[len(a) :], [False] * len(b))
    return torch.from_numpy(np.nan_to_num(np.asarray(overlap, dtype=np.float64)))


def checked_rle(rle: RLE) -> dict:
    """The same mask in the form that is safe for pycocotools: `counts` as bytes, none but the first run empty.

    Raises:
        ValueError: a key is missing, the runs are broken, or they do not cover H * W pixels.
    """
    if not isinstance(rle, Mapping) or "size" not in rle or "counts" not in rle:
        raise ValueError(f"an RLE needs the keys 'size' and 'counts', got {rle!r:.80}")
    (height, width), counts = rle["size"], rle["counts"]
    runs = read_runs(counts) if isinstance(counts, (str, bytes)) else np.asarray(counts)
    if runs.ndim != 1 or (runs.size and runs.dtype.kind not in "iu"):
        raise ValueError(f"the counts of an RLE are text or a list of run lengths, got {counts!r:.60}")
    total = int(runs.sum()) if runs.size else 0
    if total != height * width or (runs.size and runs.min() < 0):
        raise ValueError(
            f"the runs of an RLE add up to {total}, its size {height} x {width} needs {height * width}, in runs >= 0"
        )
    if isinstance(counts, (str, bytes)) and (runs[1:] > 0).all():
        text = counts.encode("ascii") if isinstance(counts, str) else counts
        return {"size": [height, width], "counts": text}
    return coco_mask.frPyObjects({"size": [height, width], "counts": merge_empty_runs(runs).tolist()}, height, width)


def read_runs(text: str | bytes) -> np.ndarray:
    """Run lengths of COCO's compressed text, int64.

    From the fourth number of a mask on, the difference to the number two before is written.

    Raises:
        ValueError: an unknown character, or a number without its last digit or with more than six.
    """
    if isinstance(text, str):
        if not text.isascii():
            raise ValueError(f"the counts {text!r:.60} of an RLE have characters that no RLE text has")
        text = text.encode("ascii")
    numbers, _ = read_numbers([text])
    numbers[1::2] = np.cumsum(numbers[1::2])
    numbers[2::2] = np.cumsum(numbers[2::2])  # the first three runs are written in full
    return numbers


def read_numbers(texts: Sequence[bytes]) -> tuple[np.ndarray, np.ndarray]:
    """The numbers that compressed texts consist of, before they are added up to run lengths.

    A number is written in base 32, low digits first, one character per digit: `48 + digit`, plus 32 where more digits
    follow; bit 16 of the last digit is the sign.

    Args:
        texts: N compressed counts.

    Returns:
        int64 (K,) numbers of all texts one after the other, and int64 (K,) the place of the last character of each in
        the joined texts.

    Raises:
        ValueError: an unknown character, or a number without its last digit or with more than six.
    """
    codes = np.frombuffer(b"".join(texts), dtype=np.uint8) - 48  # smaller characters wrap round to more than 63
    more = codes > 31
    ends = np.flatnonzero(~more)
    cut = next((text for text in texts if text and text[-1] - 48 > 31), None)
    if cut is not None or codes.max(initial=0) > 63 or np.diff(ends, prepend=-1).max(initial=0) > MAX_DIGITS:
        raise ValueError(f"the counts {cut or b''.join(texts)!r:.60} are no compressed RLE text")
    numbers = (codes[ends] & 31 ^ 16).astype(np.int64) - 16  # -16 ... 15
    longer = np.arange(len(ends))
    for place in range(1, MAX_DIGITS):
        # in front of the first text is, at -1, the last character of the last text, after which no digit follows
        longer = longer[more[ends[longer] - place]]
        numbers[longer] = numbers[longer] << 5 | codes[ends[longer] - place] & 31
    return numbers, ends


def merge_empty_runs(runs: np.ndarray) -> np.ndarray:
    """The same mask without empty runs behind the first: the two runs around one become one."""
    ends = np.cumsum(runs)
    foreground = np.arange(len(runs)) % 2 == 1
    kept = runs > 0
    ends, foreground = ends[kept], foreground[kept]
    last = np.append(foreground[1:] != foreground[:-1], True)[: len(ends)]  # of a stretch of one kind
    merged = np.diff(ends[last], prepend=0)
    return merged if not len(foreground) or not foreground[0] else np.concatenate(([0], merged))
