"""Colours that depend on a track id alone: the same in every frame, every run and every program."""

import colorsys
import functools

NO_ID_COLOR = (160, 160, 160)
# odd multipliers of 32-bit multiplicative hashing; the first is 2^32 over the golden ratio, which keeps the hues of
# neighbouring ids far apart
_HUE, _SATURATION, _VALUE = 2654435769, 2246822519, 3266489917


@functools.lru_cache(maxsize=4096)
def color_of(track_id: int) -> tuple[int, int, int]:
    """Colour of an id.

    Args:
        track_id: any integer; below 0 means no id and is grey.

    Returns:
        (r, g, b) in 0..255, bright enough for a dark background and saturated enough for a light one.
    """
    if track_id < 0:
        return NO_ID_COLOR
    hue, saturation, value = (_fraction(track_id + 1, multiplier) for multiplier in (_HUE, _SATURATION, _VALUE))
    rgb = colorsys.hsv_to_rgb(hue, 0.55 + 0.45 * saturation, 0.7 + 0.3 * value)
    return tuple(round(255 * channel) for channel in rgb)


def _fraction(number: int, multiplier: int) -> float:
    return (number * multiplier % 2**32) / 2**32
