"""Paths of objects and of the camera, in units of the frame height per frame.

All path functions return (T, 2) float64 positions and take their own generator.
"""

from dataclasses import dataclass

import numpy as np

Region = tuple[float, float, float, float]

FOLLOW = 0.7
"""Share of the camera's pan by which the cameraman follows the objects; the world shows all of it."""
CAMERA_KINDS, CAMERA_SHARES = ("none", "pan", "pan_zoom", "jitter"), (0.25, 0.30, 0.25, 0.20)


@dataclass(frozen=True)
class Camera:
    """Camera of a video: `offset` (T, 2) pan in frame heights, `zoom` (T,) factor about the frame's centre."""

    kind: str
    offset: np.ndarray
    zoom: np.ndarray


def fold(values: np.ndarray, low: float, high: float) -> np.ndarray:
    """Reflects values at the walls `low` and `high` until they lie between them."""
    span = max(high - low, 1e-6)
    return low + span - np.abs((values - low) % (2 * span) - span)


def fold_into(xy: np.ndarray, region: Region) -> np.ndarray:
    """`fold` of (..., 2) positions into (x0, y0, x1, y1)."""
    return np.stack([fold(xy[..., 0], region[0], region[2]), fold(xy[..., 1], region[1], region[3])], axis=-1)


def catmull_rom(points: np.ndarray, u: np.ndarray) -> np.ndarray:
    """Catmull-Rom spline through `points` (K, 2) at parameters u in [0, K - 1]; end points are doubled."""
    padded = np.concatenate([points[:1], points, points[-1:]])
    index = np.clip(np.floor(u).astype(np.int64), 0, max(len(points) - 2, 0))
    t = (u - index)[:, None]
    a, b, c, d = (padded[np.minimum(index + k, len(padded) - 1)] for k in range(4))
    return 0.5 * (2 * b + (c - a) * t + (2 * a - 5 * b + 4 * c - d) * t**2 + (3 * b - a - 3 * c + d) * t**3)


def waypoint_path(rng: np.random.Generator, length: int, region: Region, step: float) -> np.ndarray:
    """Smooth path through 3-7 waypoints whose mean step is about `step`, slowed and hastened by a smooth ease."""
    count = int(rng.integers(3, 8))
    leg = step * max(length - 1, 1) / (count - 1)
    points = [_point_in(rng, region)]
    heading = rng.uniform(0, 2 * np.pi)
    for _ in range(count - 1):
        heading += rng.uniform(-1.1, 1.1)
        points.append(points[-1] + leg * rng.uniform(0.6, 1.4) * np.array([np.cos(heading), 0.6 * np.sin(heading)]))
    phase, strength = rng.uniform(0, 2 * np.pi), rng.uniform(0.0, 0.6)
    t = np.linspace(0.0, 1.0, length)
    eased = t + strength * (np.sin(2 * np.pi * t + phase) - np.sin(phase)) / (2 * np.pi)
    return fold_into(catmull_rom(np.array(points), np.clip(eased, 0, 1) * (count - 1)), region)


def bounce_path(rng: np.random.Generator, length: int, region: Region, step: float) -> np.ndarray:
    """Straight path that bounces on the walls of `region`."""
    heading = rng.uniform(0, 2 * np.pi)
    direction = np.array([np.cos(heading), np.sin(heading)])
    return fold_into(_point_in(rng, region) + np.arange(length)[:, None] * step * direction, region)


def orbit_path(rng: np.random.Generator, centre: np.ndarray, radius: float, step: float, region: Region) -> np.ndarray:
    """Ellipse around a moving `centre` (T, 2), held inside `region`."""
    turn = step / radius * (1.0 if rng.random() < 0.5 else -1.0)
    angle = rng.uniform(0, 2 * np.pi) + turn * np.arange(len(centre))
    return fold_into(centre + radius * np.stack([np.cos(angle), 0.6 * np.sin(angle)], axis=1), region)


def draw_camera(rng: np.random.Generator, length: int, aspect: float) -> Camera:
    """Draws a still, panning, panning and zooming, or hand-held camera."""
    kind = CAMERA_KINDS[int(np.searchsorted(np.cumsum(CAMERA_SHARES)[:-1], rng.random(), side="right"))]
    offset, zoom = np.zeros((length, 2)), np.ones(length)
    t = np.linspace(0.0, 1.0, length)
    if kind in ("pan", "pan_zoom"):
        reach = rng.uniform(0.08, 0.2) * aspect
        angle = rng.uniform(0, 2 * np.pi)
        sweep = np.sin(np.pi * (t - rng.uniform(0.2, 0.8)) * rng.uniform(0.6, 1.4))
        offset = reach * sweep[:, None] * np.array([np.cos(angle), 0.4 * np.sin(angle)])
    if kind == "pan_zoom":
        start, stop = rng.uniform(np.log(0.8), np.log(1.25), size=2)
        zoom = np.exp(start + (stop - start) * t * t * (3 - 2 * t))
    if kind == "jitter":
        offset = 0.01 * aspect * np.stack([pink_noise(rng, length), pink_noise(rng, length)], axis=1)
    return Camera(kind, offset, zoom)


def pink_noise(rng: np.random.Generator, length: int, waves: int = 8) -> np.ndarray:
    """Noise with a 1/f amplitude spectrum, standard deviation about 1; fewer `waves` are smoother. (length,)"""
    t, k = np.arange(length), np.arange(1, waves + 1)
    phases = rng.uniform(0, 2 * np.pi, size=waves)
    parts = np.sin(2 * np.pi * k[:, None] * t / 24.0 + phases[:, None]) / k[:, None]
    return parts.sum(axis=0) / np.sqrt((0.5 / k**2).sum())


def _point_in(rng: np.random.Generator, region: Region) -> np.ndarray:
    return np.array([rng.uniform(region[0], max(region[2], region[0])),
                     rng.uniform(region[1], max(region[3], region[1]))])
