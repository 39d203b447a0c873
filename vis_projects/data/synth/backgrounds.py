"""Backgrounds of SynthVIS videos: a canvas larger than the frame, so that the camera can move."""

import numpy as np

from vis_projects.data.synth.clutter import CLUTTER_SHAPES
from vis_projects.data.synth.looks import Look, fbm, lab_to_rgb
from vis_projects.data.synth.presets import Preset

BACKGROUND_KINDS = ("fbm", "gradient", "tiles", "terrain", "collage")
CANVAS_FACTOR = 1.6
"""Side of the canvas over side of the frame; canvas and frame share their centres."""


def draw_background_kind(rng: np.random.Generator) -> str:
    """First draw of the background stream."""
    return BACKGROUND_KINDS[int(rng.integers(len(BACKGROUND_KINDS)))]


def draw_canvas(rng: np.random.Generator, preset: Preset, width: int, height: int,
                object_look: Look | None) -> np.ndarray:
    """Draws the background of a video.

    Args:
        rng: background stream, at its start.
        preset: chroma of backgrounds and the share of camouflage.
        width, height: size of the frame in pixels.
        object_look: look of one object, whose palette a camouflaged background shares; None without objects.

    Returns:
        (round(1.6 H), round(1.6 W), 3) float32 sRGB in [0, 1].
    """
    kind = draw_background_kind(rng)
    rows, columns = round(CANVAS_FACTOR * height), round(CANVAS_FACTOR * width)
    camouflage, palette = rng.random() < preset.camouflage, _draw_palette(rng, preset.background_chroma)
    if camouflage and object_look is not None:
        palette = np.array(object_look.colours)
    weight = _WEIGHTS[kind](rng, rows, columns)
    colours = lab_to_rgb(palette)
    grain = 0.06 * (fbm(rng, rows, columns, 24.0, octaves=2) - 0.5)
    canvas = colours[0] + (colours[1] - colours[0]) * weight[..., None] + grain[..., None]
    return np.clip(canvas, 0.0, 1.0).astype(np.float32)


def crop_canvas(canvas: np.ndarray, width: int, height: int, offset: tuple[float, float], zoom: float) -> np.ndarray:
    """What the camera sees of a canvas, bilinear.

    Args:
        canvas: (Hc, Wc, 3) float32.
        width, height: size of the frame in pixels.
        offset: pan (x, y) in frame heights.
        zoom: factor about the centre of the frame.

    Returns:
        (height, width, 3) float32; beyond the canvas its edge repeats.
    """
    def axis(count: int, limit: int, pan: float):
        position = ((np.arange(count) + 0.5 - count / 2) / zoom + pan * height) + limit / 2 - 0.5
        position = np.clip(position, 0.0, limit - 1.0)
        low = np.minimum(position.astype(np.int64), limit - 2)
        return low, (position - low).astype(np.float32)

    rows, row_part = axis(height, canvas.shape[0], offset[1])
    columns, column_part = axis(width, canvas.shape[1], offset[0])
    span = slice(int(columns.min()), int(columns.max()) + 2)
    columns = columns - span.start
    upper, lower = canvas[rows, span], canvas[rows + 1, span]
    lines = upper + (lower - upper) * row_part[:, None, None]
    left = lines[:, columns]
    return left + (lines[:, columns + 1] - left) * column_part[:, None]


def _draw_palette(rng: np.random.Generator, chroma: float) -> np.ndarray:
    """Two LAB colours, (2, 3); darker and duller than most objects."""
    hues, strengths = rng.uniform(0, 2 * np.pi, size=2), rng.uniform(0.2, 1.0, size=2) * chroma
    lightness = rng.uniform(20.0, 60.0) + np.array([0.0, rng.uniform(8.0, 30.0)])
    return np.stack([lightness, strengths * np.cos(hues), strengths * np.sin(hues)], axis=1)


def _fbm(rng: np.random.Generator, rows: int, columns: int) -> np.ndarray:
    return fbm(rng, rows, columns, rng.uniform(2.0, 6.0))


def _gradient(rng: np.random.Generator, rows: int, columns: int) -> np.ndarray:
    angle = rng.uniform(0, 2 * np.pi)
    y, x = np.mgrid[0:rows, 0:columns]
    along = x / columns * np.cos(angle) + y / rows * np.sin(angle)
    return (along - along.min()) / (along.max() - along.min())


def _tiles(rng: np.random.Generator, rows: int, columns: int) -> np.ndarray:
    pitch = rows / rng.uniform(4.0, 9.0)
    y, x = np.mgrid[0:rows, 0:columns]
    shifted = x + 0.5 * pitch * (np.floor(y / pitch) % 2)
    joints = (shifted % pitch < 0.08 * pitch) | (y % pitch < 0.08 * pitch)
    shades = rng.random((int(rows / pitch) + 2, int(columns / pitch) + 3))
    return np.where(joints, 0.0, 0.4 + 0.6 * shades[(y / pitch).astype(int), (shifted / pitch).astype(int)])


def _terrain(rng: np.random.Generator, rows: int, columns: int) -> np.ndarray:
    heights = fbm(rng, rows, columns, rng.uniform(1.5, 3.0), octaves=5)
    horizon = np.linspace(0.0, 0.5, rows)[:, None]
    return np.clip(np.floor((heights + horizon) * 6.0) / 8.0, 0.0, 1.0)


def _collage(rng: np.random.Generator, rows: int, columns: int) -> np.ndarray:
    """Overlapping soft shapes of clutter."""
    weight = np.full((rows, columns), rng.random())
    kinds = tuple(CLUTTER_SHAPES)
    for _ in range(14):
        kind, value = kinds[int(rng.integers(len(kinds)))], rng.random()
        size, cx, cy = rng.uniform(0.06, 0.18) * rows, rng.random() * columns, rng.random() * rows
        left, top = max(int(cx - 1.4 * size), 0), max(int(cy - 1.4 * size), 0)
        y, x = np.mgrid[top:min(int(cy + 1.4 * size) + 1, rows), left:min(int(cx + 1.4 * size) + 1, columns)]
        if x.size:
            sd, _ = CLUTTER_SHAPES[kind].draw((x - cx) / size, (y - cy) / size, (1.0,) * 4, 0.0)
            alpha = np.clip(0.5 - sd * 3.0, 0.0, 1.0)
            part = weight[top:top + x.shape[0], left:left + x.shape[1]]
            part += (value - part) * alpha
    return weight


_WEIGHTS = {"fbm": _fbm, "gradient": _gradient, "tiles": _tiles, "terrain": _terrain, "collage": _collage}
