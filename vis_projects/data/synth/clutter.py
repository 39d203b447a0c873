"""Unlabelled parts of a SynthVIS scene: clutter that must be rejected, and static occluders.

Same convention as `shapes`: (x, y, proportions, phase) -> (sd, paint). For occluders proportions are
(half-width, half-height, detail, detail) in units of the sprite's size, not factors around 1.
"""

from math import cos, sin

import numpy as np

from vis_projects.data.synth import sdf
from vis_projects.data.synth.shapes import CLASS_SHAPES, Drawn, Shape


def plus(x, y, p, phase) -> Drawn:
    """Two crossed bars."""
    arm = 0.3 * p[0]
    return np.minimum(sdf.rectangle(x, y, (0, 0), (1.0, arm)), sdf.rectangle(x, y, (0, 0), (arm, 1.0))), 1.0


def triangle(x, y, p, phase) -> Drawn:
    """Upright triangle."""
    return sdf.polygon(x, y, [(0.0, -0.9), (0.9 * p[0], 0.7), (-0.9 * p[1], 0.7)]) - 0.05, 1.0


def blob(x, y, p, phase) -> Drawn:
    """Disc with a wavy outline."""
    angle = np.arctan2(y, x)
    radius = 0.75 + 0.14 * p[0] * np.sin(3 * angle + phase) + 0.08 * p[1] * np.sin(5 * angle - phase)
    return (np.hypot(x, y) - radius) * 0.85, 1.0


def pole(x, y, p, phase) -> Drawn:
    """Upright bar."""
    return sdf.rectangle(x, y, (0, 0), (p[0], p[1])), 1.0


def wall(x, y, p, phase) -> Drawn:
    """Block with a grid of joints."""
    joints = (np.abs((x * 2.2) % 1.0 - 0.5) > 0.44) | (np.abs((y * 3.3) % 1.0 - 0.5) > 0.42)
    return sdf.rectangle(x, y, (0, 0), (p[0], p[1])), np.where(joints, 0.75, 1.0)


def fence(x, y, p, phase) -> Drawn:
    """Slats on two rails: objects show through the gaps."""
    pitch = p[2]
    slat = np.abs((x + p[0]) % pitch - pitch / 2) - pitch * 0.27
    rails = np.minimum(np.abs(y + 0.5 * p[1]), np.abs(y - 0.5 * p[1])) - 0.09
    return np.maximum(sdf.rectangle(x, y, (0, 0), (p[0], p[1])), np.minimum(slat, rails)), 1.0


def bush(x, y, p, phase) -> Drawn:
    """Union of discs around an ellipse."""
    sd = sdf.ellipse(x, y, (0, 0), (0.8 * p[0], 0.8 * p[1]))
    for k in range(7):
        angle = phase + k * 0.9
        centre = (0.72 * p[0] * cos(angle), 0.72 * p[1] * sin(angle))
        sd = np.minimum(sd, sdf.circle(x, y, centre, 0.26 * min(p[0], p[1])))
    return sd, 1.0


CLUTTER_SHAPES = {
    "plus": Shape(plus, (1.0, 1.0), 1.4, turns=True),
    "triangle": Shape(triangle, (1.1, 1.0), 1.2, turns=True),
    "blob": Shape(blob, (1.05, 1.05), 1.35, turns=True),
}
OCCLUDER_SHAPES = {"pole": Shape(pole, (1.0, 1.0), 1.0), "wall": Shape(wall, (1.0, 1.0), 1.0),
                   "fence": Shape(fence, (1.0, 1.0), 1.0), "bush": Shape(bush, (1.0, 1.0), 1.0)}
ALL_SHAPES = CLASS_SHAPES | CLUTTER_SHAPES | OCCLUDER_SHAPES


def extent_of(kind: str, proportions: tuple[float, ...]) -> tuple[float, float]:
    """Half-width and half-height, in units of the sprite's size, of the box that holds shape `kind`."""
    if kind in OCCLUDER_SHAPES:
        return proportions[0], proportions[1]
    return ALL_SHAPES[kind].extent
