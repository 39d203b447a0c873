"""Signed distances to plane primitives: negative inside, in the unit of the coordinates.

All functions take float64 arrays x, y of one shape (x right, y down) and return an array of that shape. Near the
outline the values are distances; far away those of `ellipse` and `convex` are only bounds.
"""

from collections.abc import Sequence

import numpy as np

Point = tuple[float, float]


def circle(x: np.ndarray, y: np.ndarray, centre: Point, radius: float) -> np.ndarray:
    """Distance to a disc."""
    return np.hypot(x - centre[0], y - centre[1]) - radius


def ellipse(x: np.ndarray, y: np.ndarray, centre: Point, half_axes: Point) -> np.ndarray:
    """First-order distance to an axis-parallel ellipse."""
    u, v = (x - centre[0]) / half_axes[0], (y - centre[1]) / half_axes[1]
    level = np.hypot(u, v)
    slope = np.hypot(u / half_axes[0], v / half_axes[1])
    return (level - 1.0) * level / np.maximum(slope, 1e-6)


def capsule(x: np.ndarray, y: np.ndarray, start: Point, end: Point, radius: float) -> np.ndarray:
    """Distance to a thick line with round ends."""
    return np.sqrt(_squared_to_segment(x, y, start, end)) - radius


def rectangle(x: np.ndarray, y: np.ndarray, centre: Point, half_sides: Point) -> np.ndarray:
    """Distance to an axis-parallel rectangle."""
    u, v = np.abs(x - centre[0]) - half_sides[0], np.abs(y - centre[1]) - half_sides[1]
    return np.hypot(np.maximum(u, 0.0), np.maximum(v, 0.0)) + np.minimum(np.maximum(u, v), 0.0)


def convex(x: np.ndarray, y: np.ndarray, corners: Sequence[Point]) -> np.ndarray:
    """Largest distance to the sides of a convex polygon whose corners turn from +x towards +y."""
    sd = np.full(x.shape, -np.inf)
    for (ax, ay), (bx, by) in _sides(corners):
        ex, ey = bx - ax, by - ay
        norm = float(np.hypot(ex, ey))
        if norm > 1e-9:
            sd = np.maximum(sd, ((x - ax) * ey - (y - ay) * ex) / norm)
    return sd


def polygon(x: np.ndarray, y: np.ndarray, corners: Sequence[Point]) -> np.ndarray:
    """Exact distance to a simple polygon, convex or not."""
    squared = np.full(x.shape, np.inf)
    inside = np.zeros(x.shape, dtype=bool)
    for (ax, ay), (bx, by) in _sides(corners):
        squared = np.minimum(squared, _squared_to_segment(x, y, (ax, ay), (bx, by)))
        if ay != by:
            crosses = (ay > y) != (by > y)
            inside ^= crosses & (x < ax + (y - ay) * ((bx - ax) / (by - ay)))
    return np.where(inside, -1.0, 1.0) * np.sqrt(squared)


def _sides(corners: Sequence[Point]):
    return zip(corners, [*corners[1:], corners[0]])


def _squared_to_segment(x: np.ndarray, y: np.ndarray, start: Point, end: Point) -> np.ndarray:
    ex, ey = end[0] - start[0], end[1] - start[1]
    wx, wy = x - start[0], y - start[1]
    along = np.clip((wx * ex + wy * ey) / max(ex * ex + ey * ey, 1e-12), 0.0, 1.0)
    return (wx - along * ex) ** 2 + (wy - along * ey) ** 2
