"""Looks of sprites: colours in LAB and scalar patterns in sprite coordinates."""

from dataclasses import dataclass, replace

import numpy as np

PATTERNS = ("fbm", "stripes", "checks", "dots", "gradient", "plain")
MIN_COLOUR_DISTANCE = 25.0
TEXTURE_HALF_WIDTH = 1.3
"""A texture covers [-1.3, 1.3]^2 of the sprite's unit frame and repeats beyond."""

# Hue circle in 24 wedges of 15 degrees, and waves per texture: no split sees another's values.
HUE_WEDGES = {"train": tuple(range(0, 24, 2)), "val": tuple(range(1, 24, 4)), "test": tuple(range(3, 24, 4))}
FREQUENCIES = {"train": (2.5, 4.5), "val": (4.7, 5.7), "test": (5.9, 7.0)}


@dataclass(frozen=True)
class Look:
    """How a sprite is painted.

    Attributes:
        pattern: one of PATTERNS.
        colours: two LAB triples (L 0-100), at least MIN_COLOUR_DISTANCE apart.
        frequency: waves of the pattern over the texture's side.
        angle: direction of stripes and gradients in radians.
        rim: strength of the highlight along the outline.
        seed: seed of fBm and dots.
    """

    pattern: str
    colours: tuple[tuple[float, float, float], tuple[float, float, float]]
    frequency: float
    angle: float
    rim: float
    seed: int

    def turned(self, hue: float) -> "Look":
        """The same look with both hues turned by `hue` radians."""
        return replace(self, colours=tuple(turn_hue(colour, hue) for colour in self.colours))


def draw_look(rng: np.random.Generator, split: str) -> Look:
    """Draws a look from the texture ranges of `split`."""
    first = _draw_colour(rng, split)
    second = _draw_colour(rng, split)
    if _distance(first, second) < MIN_COLOUR_DISTANCE:
        lightness = first[0] + (35.0 if first[0] < 55.0 else -35.0)
        second = (lightness, second[1], second[2])
    low, high = FREQUENCIES[split]
    return Look(pattern=PATTERNS[int(rng.integers(len(PATTERNS)))], colours=(first, second),
                frequency=float(rng.uniform(low, high)), angle=float(rng.uniform(0, np.pi)),
                rim=float(rng.uniform(0.1, 0.4)) if rng.random() < 0.5 else 0.0, seed=int(rng.integers(2**31)))


def turn_hue(colour: tuple[float, float, float], hue: float) -> tuple[float, float, float]:
    """Rotates the (a, b) part of a LAB colour by `hue` radians."""
    lightness, a, b = colour
    return (lightness, a * float(np.cos(hue)) - b * float(np.sin(hue)),
            a * float(np.sin(hue)) + b * float(np.cos(hue)))


def lab_to_rgb(lab: np.ndarray) -> np.ndarray:
    """CIE LAB (D65) to sRGB in [0, 1], clipped to the gamut; last axis holds the channels."""
    lab = np.asarray(lab, dtype=np.float64)
    fy = (lab[..., 0] + 16.0) / 116.0
    f = np.stack([fy + lab[..., 1] / 500.0, fy, fy - lab[..., 2] / 200.0], axis=-1)
    xyz = np.where(f > 6 / 29, f**3, 3 * (6 / 29) ** 2 * (f - 4 / 29)) * np.array([0.95047, 1.0, 1.08883])
    x, y, z = xyz[..., 0], xyz[..., 1], xyz[..., 2]
    linear = np.clip(np.stack([3.2406 * x - 1.5372 * y - 0.4986 * z, -0.9689 * x + 1.8758 * y + 0.0415 * z,
                               0.0557 * x - 0.2040 * y + 1.0570 * z], axis=-1), 0.0, 1.0)
    return np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)


def pattern_map(look: Look, size: int) -> np.ndarray:
    """Scalar pattern of a look: (size, size) float32 in [0, 1], mixing weight of the second colour."""
    grid = (np.arange(size) + 0.5) / size
    u, v = np.meshgrid(grid, grid)
    along = u * np.cos(look.angle) + v * np.sin(look.angle)
    if look.pattern == "stripes":
        weight = 0.5 + 0.5 * np.tanh(4.0 * np.sin(2 * np.pi * look.frequency * along))
    elif look.pattern == "checks":
        weight = ((np.floor(2 * look.frequency * u) + np.floor(2 * look.frequency * v)) % 2).astype(np.float64)
    elif look.pattern == "dots":
        du, dv = (look.frequency * 1.3 * u) % 1.0 - 0.5, (look.frequency * 1.3 * v) % 1.0 - 0.5
        weight = (np.hypot(du, dv) < 0.32).astype(np.float64)
    elif look.pattern == "gradient":
        low, high = along.min(), along.max()
        weight = (along - low) / (high - low)
    elif look.pattern == "plain":
        weight = np.zeros_like(u)
    else:
        rng = np.random.Generator(np.random.PCG64(look.seed))
        weight = np.clip(1.8 * (fbm(rng, size, size, look.frequency) - 0.5) + 0.5, 0.0, 1.0)
    return weight.astype(np.float32)


def fbm(rng: np.random.Generator, height: int, width: int, frequency: float, octaves: int = 4) -> np.ndarray:
    """Fractal value noise: (height, width) float64 in [0, 1]; the first octave has `frequency` cells per height."""
    total, weight = np.zeros((height, width)), 0.0
    for octave in range(octaves):
        cells = max(frequency * 2.0**octave, 1.0)
        rows, columns = int(np.ceil(cells)) + 1, int(np.ceil(cells * width / height)) + 1
        total += 0.5**octave * _stretch(rng.random((rows, columns)), height, width, cells / height)
        weight += 0.5**octave
    return total / weight


def _stretch(grid: np.ndarray, height: int, width: int, step: float) -> np.ndarray:
    """Smooth interpolation of lattice values; `step` is lattice cells per pixel."""
    def axis(count: int, limit: int):
        position = (np.arange(count) + 0.5) * step
        low = np.minimum(np.floor(position).astype(np.int64), limit - 2)
        part = np.clip(position - low, 0.0, 1.0)
        return low, part * part * (3.0 - 2.0 * part)

    rows, row_part = axis(height, grid.shape[0])
    columns, column_part = axis(width, grid.shape[1])
    lines = grid[rows] * (1 - row_part[:, None]) + grid[rows + 1] * row_part[:, None]
    return lines[:, columns] * (1 - column_part) + lines[:, columns + 1] * column_part


def _draw_colour(rng: np.random.Generator, split: str) -> tuple[float, float, float]:
    wedges = HUE_WEDGES[split]
    hue = np.deg2rad(15.0 * (wedges[int(rng.integers(len(wedges)))] + rng.random()))
    lightness, chroma = rng.uniform(35.0, 85.0), rng.uniform(25.0, 65.0)
    return float(lightness), float(chroma * np.cos(hue)), float(chroma * np.sin(hue))


def _distance(first: tuple[float, float, float], second: tuple[float, float, float]) -> float:
    return float(np.sqrt(sum((a - b) ** 2 for a, b in zip(first, second))))
