"""A chart of horizontal bars, drawn with OpenCV: a few named rows, one bar per series in each."""

from collections.abc import Mapping, Sequence

import numpy as np

WIDTH, LEFT, RIGHT, TOP, BOTTOM = 760, 170, 70, 64, 34
BAR_PIXELS, GAP_PIXELS = 12, 14
PALETTE = ((46, 134, 171), (209, 73, 91), (58, 125, 68), (224, 142, 27))
INK, GRID, PAPER = (34, 34, 34), (220, 220, 220), (255, 255, 255)


def bar_chart(title: str, series: Sequence[str], rows: Mapping[str, Sequence[float]], unit: str = "") -> np.ndarray:
    """Draws values of any sign around a line at 0.

    Args:
        title: text above.
        series: names of the bars of a row, at most four.
        rows: name -> one finite value per series, from the top down.
        unit: what the axis counts.

    Returns:
        (height, `WIDTH`, 3) uint8 RGB; without rows title and axis alone.

    Raises:
        ValueError: a row has another number of values than there are series, or one that is not finite.
    """
    for name, values in rows.items():
        if len(values) != len(series) or not np.isfinite(values).all():
            raise ValueError(f"bar_chart: row {name!r} has the values {values}; give {len(series)} finite numbers")
    band = len(series) * BAR_PIXELS + GAP_PIXELS
    height = TOP + BOTTOM + band * len(rows)
    image = np.full((height, WIDTH, 3), PAPER, dtype=np.uint8)
    every = [0.0, *(value for values in rows.values() for value in values)]
    step = nice_step(max(every) - min(every))
    low, high = np.floor(min(every) / step) * step, max(np.ceil(max(every) / step) * step, step)

    def across(value: float) -> int:
        return round(LEFT + (value - low) / (high - low) * (WIDTH - LEFT - RIGHT))

    _text(image, title, (14, 22), scale=0.55)
    _legend(image, series)
    for tick in np.arange(round((high - low) / step) + 1) * step + low:
        _line(image, (across(tick), TOP - 4), (across(tick), height - BOTTOM), GRID)
        _text(image, f"{tick:.4g}{unit}", (across(tick), height - BOTTOM + 18), centred=True)
    for row, (name, values) in enumerate(rows.items()):
        top = TOP + row * band + GAP_PIXELS // 2
        _text(image, name, (14, top + len(series) * BAR_PIXELS // 2 + 5))
        for k, value in enumerate(values):
            left, right = sorted((across(0), across(value)))
            y = top + k * BAR_PIXELS
            _fill(image, (left, y), (right, y + BAR_PIXELS - 2), PALETTE[k])
            _text(image, f"{value:+.1f}", (right + 5, y + BAR_PIXELS - 2), scale=0.36)
    _line(image, (across(0), TOP - 4), (across(0), height - BOTTOM), INK)
    return image


def nice_step(span: float) -> float:
    """A step of 1, 2 or 5 times a power of ten that cuts a span into 4 to 10 parts; 1 for no span."""
    if span <= 0:
        return 1.0
    power = 10.0 ** np.floor(np.log10(span / 4))
    return float(power * max(factor for factor in (1, 2, 5) if factor * power <= span / 4 * (1 + 1e-9)))


def _legend(image: np.ndarray, series: Sequence[str]) -> None:
    x = LEFT
    for k, name in enumerate(series):
        _fill(image, (x, 34), (x + 10, 44), PALETTE[k])
        x = _text(image, name, (x + 16, 44)) + 24


def _text(image: np.ndarray, text: str, place: tuple[int, int], *, scale: float = 0.42, centred: bool = False) -> int:
    """Writes text on a base line at (x, y); returns where it ends."""
    import cv2

    text = text.encode("ascii", "replace").decode("ascii")
    (width, _), _ = cv2.getTextSize(text, cv2.FONT_HERSHEY_SIMPLEX, scale, 1)
    x = place[0] - width // 2 if centred else place[0]
    cv2.putText(image, text, (x, place[1]), cv2.FONT_HERSHEY_SIMPLEX, scale, INK, 1, cv2.LINE_AA)
    return x + width


def _line(image: np.ndarray, start: tuple[int, int], end: tuple[int, int], color: tuple[int, int, int]) -> None:
    import cv2

    cv2.line(image, start, end, color, 1)


def _fill(image: np.ndarray, low: tuple[int, int], high: tuple[int, int], color: tuple[int, int, int]) -> None:
    import cv2

    if high[0] > low[0]:
        cv2.rectangle(image, low, high, color, -1)
