"""Draws on one frame with OpenCV: tinted masks with contours, boxes, labels, lines. Everything is in place, in RGB."""

from collections.abc import Sequence

import numpy as np

Color = tuple[int, int, int]


def paint_mask(image: np.ndarray, mask: np.ndarray, color: Color, alpha: float) -> None:
    """Tints the pixels of a mask and draws its outline.

    Args:
        image: (H, W, 3) uint8, changed.
        mask: (H, W) uint8 or bool, non-zero is foreground.
        color: of the tint and the outline.
        alpha: weight of the colour, 0 leaves the outline alone.
    """
    import cv2

    mask = np.ascontiguousarray(mask).view(np.uint8)
    x, y, width, height = cv2.boundingRect(mask)
    if width == 0:
        return
    part = image[y : y + height, x : x + width]
    inside = mask[y : y + height, x : x + width]
    if alpha > 0:
        table = np.arange(256)[:, None] * (1 - alpha) + np.asarray(color) * alpha  # tinted value of every byte
        cv2.copyTo(cv2.LUT(part, np.rint(table).astype(np.uint8)[:, None, :]), inside, part)
    contours, _ = cv2.findContours(inside, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
    cv2.drawContours(image, contours, -1, color, 1, offset=(x, y))


def paint_box(image: np.ndarray, box: Sequence[float], color: Color, thickness: int = 1) -> None:
    """Outline of a box (x0, y0, x1, y1) in absolute pixels."""
    import cv2

    x0, y0, x1, y1 = _pixels(box)
    cv2.rectangle(image, (x0, y0), (x1, y1), color, thickness)


def paint_label(image: np.ndarray, text: str, anchor: Sequence[float], color: Color) -> None:
    """Text on a filled background whose lower left corner is at (x, y), moved into the image where it sticks out.

    OpenCV's font has ASCII letters alone; others become "?".
    """
    import cv2

    text = text.encode("ascii", "replace").decode("ascii")
    font, scale = cv2.FONT_HERSHEY_SIMPLEX, max(0.35, min(image.shape[:2]) / 1000)
    (width, height), descent = cv2.getTextSize(text, font, scale, 1)
    x, y = _pixels(anchor)
    x = max(0, min(x, image.shape[1] - width - 2))
    y = max(height + descent + 2, min(y, image.shape[0] - 1))
    cv2.rectangle(image, (x, y - height - descent - 2), (x + width + 2, y), color, -1)
    dark = 0.299 * color[0] + 0.587 * color[1] + 0.114 * color[2] > 140
    cv2.putText(image, text, (x + 1, y - descent), font, scale, (0, 0, 0) if dark else (255, 255, 255), 1, cv2.LINE_AA)


def paint_line(image: np.ndarray, points: Sequence[tuple[float, float]], color: Color) -> None:
    """Open line through (x, y) points; a single one draws nothing."""
    import cv2

    if len(points) > 1:
        cv2.polylines(image, [np.rint(np.asarray(points)).astype(np.int32)], False, color, 1, cv2.LINE_AA)


def _pixels(values: Sequence[float]) -> list[int]:
    """Rounded, kept within what OpenCV can take; predictions may hold anything."""
    return [int(v) for v in np.rint(np.clip(np.nan_to_num(np.asarray(values, dtype=np.float64)), -16384, 16383))]
