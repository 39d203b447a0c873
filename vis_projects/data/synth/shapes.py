"""The eight classes of SynthVIS as signed distance functions.

A class is a silhouette in the unit frame [-1, 1]^2 (y down, facing +x) with moving parts driven by `phase` (radians).
Each function takes coordinates x, y (float64, one shape), proportions p (four factors around 1) and the phase, and
returns (sd, paint): the signed distance and a brightness factor (array or 1.0) for painted parts such as eyes.
"""

from collections.abc import Callable
from dataclasses import dataclass
from math import cos, pi, sin

import numpy as np

from vis_projects.data.synth import sdf

Drawn = tuple[np.ndarray, np.ndarray | float]


@dataclass(frozen=True)
class Shape:
    """A class or scene part: how it is drawn, and what motion and looks need to know about it.

    Attributes:
        draw: (x, y, proportions, phase) -> (sd, paint).
        extent: half-width and half-height of the box that holds the shape in every phase, unit frame.
        root_area: square root of the typical area, unit frame.
        half_height: what an object's height refers to, unit frame; flat shapes take 0.7, or they would be too wide.
        turns: whether the sprite may rotate in the plane.
        rolls: whether the texture moves with the phase.
    """

    draw: Callable[[np.ndarray, np.ndarray, tuple[float, ...], float], Drawn]
    extent: tuple[float, float]
    root_area: float
    half_height: float = 1.0
    turns: bool = False
    rolls: bool = False


def ball(x, y, p, phase) -> Drawn:
    """Disc of radius 1; only its texture moves."""
    return sdf.circle(x, y, (0.0, 0.0), 1.0), 1.0


def box(x, y, p, phase) -> Drawn:
    """Cuboid in parallel projection, turning about its vertical axis: outline between quad and hexagon."""
    half_x, half_z, half_y = 0.75 * p[0], 0.6 * p[1], 0.62 * p[2]
    tilt = 0.5 * p[3]
    corners = []
    for cx, cz in ((1, 1), (-1, 1), (-1, -1), (1, -1)):
        u = cx * half_x * cos(phase) - cz * half_z * sin(phase)
        depth = cx * half_x * sin(phase) + cz * half_z * cos(phase)
        corners.append((u, depth))
    top = [(u, depth * sin(tilt) - half_y * cos(tilt)) for u, depth in corners]
    bottom = [(u, depth * sin(tilt) + half_y * cos(tilt)) for u, depth in corners]
    sd = sdf.convex(x, y, _convex_hull(top + bottom))
    top_face = sdf.convex(x, y, _convex_hull(top)) < 0.0
    edge = max(corners, key=lambda c: c[1])[0]
    return sd, np.where(top_face, 1.25, np.where(x < edge, 0.95, 0.65))


def star(x, y, p, phase) -> Drawn:
    """Five-pointed star with rounded tips."""
    inner, rounding = 0.43 * p[0], 0.09
    sector = pi / 5
    angle = np.arctan2(x, -y)
    folded = np.abs((angle + sector) % (2 * sector) - sector)
    radius = np.hypot(x, y)
    u, v = radius * np.cos(folded), radius * np.sin(folded)
    tip, notch = (1.0 - rounding, 0.0), (inner * cos(sector) - rounding * 0.6, inner * sin(sector))
    ex, ey = notch[0] - tip[0], notch[1] - tip[1]
    along = np.clip(((u - tip[0]) * ex + (v - tip[1]) * ey) / (ex * ex + ey * ey), 0.0, 1.0)
    distance = np.hypot(u - tip[0] - along * ex, v - tip[1] - along * ey)
    inside = ex * (v - tip[1]) - ey * (u - tip[0]) > 0.0
    return np.where(inside, -distance, distance) - rounding, 1.0


def ring(x, y, p, phase) -> Drawn:
    """Annulus whose vertical axis shrinks as it tilts; the hole belongs to the background."""
    axis = 0.75 + 0.25 * cos(phase)
    hole = 0.58 * (1.0 + 0.5 * (p[0] - 1.0))
    v = y / axis
    radius = np.maximum(np.hypot(x, v), 1e-6)
    slope = np.hypot(x, v / axis) / radius
    return (np.abs(radius - (1.0 + hole) / 2) - (1.0 - hole) / 2) / slope, 1.0


def fish(x, y, p, phase) -> Drawn:
    """Body with forked tail, dorsal fin and a dark eye; body and tail bend."""
    bend = 0.22 * sin(phase)
    y = y - bend * (0.25 - x) * np.abs(0.25 - x) - 0.06 * bend
    half_height = 0.47 * p[0]
    body = sdf.ellipse(x, y, (0.22, 0.0), (0.775, half_height))
    tail = sdf.polygon(x, y, [(-0.42, -0.09), (-0.42, 0.09), (-0.98, 0.5 * p[1]), (-0.78, 0.0), (-0.98, -0.5 * p[1])])
    fin = sdf.polygon(x, y, [(-0.2, -0.6 * half_height), (0.45, -0.6 * half_height), (-0.12, -1.45 * half_height)])
    eye = sdf.circle(x, y, (0.66, -0.12), 0.1) < 0.0
    return np.minimum(np.minimum(body, tail - 0.04), fin - 0.03), np.where(eye, 0.12, 1.0)


def walker(x, y, p, phase) -> Drawn:
    """Head, torso, two arms and two legs that swing by 0.55 rad."""
    swing = 0.55 * sin(phase)
    sd = np.minimum(sdf.circle(x, y, (0.04, -0.77), 0.22), sdf.capsule(x, y, (0, -0.42), (0, 0.12), 0.2 * p[0]))
    shade = np.ones_like(x)
    for side in (1.0, -1.0):
        arm, leg = side * swing, -side * swing
        hand = (0.58 * p[1] * sin(arm), -0.44 + 0.58 * p[1] * cos(arm))
        foot = (0.76 * sin(leg), 0.12 + 0.74 * p[2] * cos(leg))
        limbs = np.minimum(sdf.capsule(x, y, (0.0, -0.44), hand, 0.095),
                           sdf.capsule(x, y, (0.0, 0.12), foot, 0.12 * p[3]))
        if side < 0:
            shade = np.where((limbs < 0.0) & (sd >= 0.0), 0.65, shade)
        sd = np.minimum(sd, limbs)
    return sd, shade


def bird(x, y, p, phase) -> Drawn:
    """Body, head, beak, tail and two flapping wings."""
    body = np.minimum(sdf.ellipse(x, y, (0.0, 0.0), (0.56, 0.21 * p[0])), sdf.circle(x, y, (0.52, -0.12), 0.18))
    beak = sdf.polygon(x, y, [(0.64, -0.2), (0.92, -0.1), (0.64, -0.03)]) - 0.03
    tail = sdf.polygon(x, y, [(-0.42, -0.05), (-0.95, -0.2 * p[1]), (-0.95, 0.16 * p[1]), (-0.42, 0.08)])
    flap = 0.15 + 0.75 * sin(phase)
    reach = 0.98 * p[2]
    near = [(0.28, 0.0), (-0.28, 0.0), (-0.3, -reach * sin(flap)), (-0.02, -reach * sin(flap))]
    far = [(0.34, -0.05), (-0.12, -0.05), (0.06, 0.72 * reach * sin(flap - 0.3) - 0.05)]
    front = np.minimum(np.minimum(body, beak), np.minimum(tail, sdf.polygon(x, y, near) - 0.06))
    back = sdf.polygon(x, y, far) - 0.05
    eye = sdf.circle(x, y, (0.58, -0.16), 0.06) < 0.0
    return np.minimum(front, back), np.where(eye, 0.12, np.where(front >= 0.0, 0.65, 1.0))


def car(x, y, p, phase) -> Drawn:
    """Hood, cabin and boot over two turning wheels; dark windows."""
    roof = -0.52 * p[0]
    cabin = 0.12 * (p[1] - 1.0)
    outline = [(-0.97, 0.24), (-0.97, -0.1), (-0.62 + cabin, -0.14), (-0.4 + cabin, roof), (0.22 + cabin, roof),
               (0.5 + cabin, -0.12), (0.95, -0.04), (0.98, 0.24)]
    body = sdf.polygon(x, y, outline) - 0.03
    window = sdf.convex(x, y, [(-0.5 + cabin, -0.14), (-0.34 + cabin, roof + 0.08), (0.18 + cabin, roof + 0.08),
                               (0.38 + cabin, -0.14)]) < 0.0
    paint = np.where(window, 0.25, 1.0)
    sd = body
    for centre in ((-0.55, 0.26), (0.58, 0.26)):
        wheel = sdf.circle(x, y, centre, 0.22 * p[2])
        spoke = np.abs((x - centre[0]) * cos(phase) + (y - centre[1]) * sin(phase)) < 0.05
        paint = np.where(wheel < 0.0, np.where(spoke, 0.7, 0.2), paint)
        sd = np.minimum(sd, wheel)
    return sd, paint


def _convex_hull(points: list[sdf.Point]) -> list[sdf.Point]:
    """Corners of the hull in the order that `sdf.convex` needs."""
    ordered = sorted(set(points))

    def half(sequence):
        chain: list[sdf.Point] = []
        for point in sequence:
            while len(chain) > 1 and _turn(chain[-2], chain[-1], point) <= 1e-12:
                chain.pop()
            chain.append(point)
        return chain[:-1]

    return half(ordered) + half(ordered[::-1])


def _turn(a: sdf.Point, b: sdf.Point, c: sdf.Point) -> float:
    return (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0])


CLASS_SHAPES = {
    "ball": Shape(ball, (1.0, 1.0), 1.77, turns=True, rolls=True),
    "box": Shape(box, (1.2, 1.3), 1.6),
    "star": Shape(star, (1.0, 1.0), 1.3, turns=True),
    "ring": Shape(ring, (1.0, 1.0), 1.3, turns=True),
    "fish": Shape(fish, (1.1, 0.95), 1.17, half_height=0.7),
    "walker": Shape(walker, (0.75, 1.15), 0.75),
    "bird": Shape(bird, (1.08, 1.15), 0.78, half_height=0.7),
    "car": Shape(car, (1.08, 0.75), 1.2, half_height=0.7),
}
