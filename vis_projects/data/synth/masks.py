"""Rasterisation of a scene: which pixel belongs to which object.

Pixel (row r, column c) of an H x W frame has its centre at ((c + 0.5) / H, (r + 0.5) / H) in frame heights.
"""

from dataclasses import dataclass
from math import ceil, cos, floor, sin

import numpy as np

from vis_projects.data.synth.clutter import ALL_SHAPES
from vis_projects.data.synth.scene import Scene
from vis_projects.data.synth.sprite import Sprite

PATCH_MARGIN_PX = 2


@dataclass(frozen=True)
class Patch:
    """The part of a sprite that lies in the frame.

    Attributes:
        number: index of the sprite in `scene.sprites`.
        rows, columns: where the patch lies in the frame.
        distance: (h, w) signed distance to the outline in pixels.
        u, v: (h, w) coordinates in the sprite's unit frame.
        paint: brightness of painted parts, (h, w) or 1.0.
        amodal: pixels of the whole sprite, inside and outside the frame, covered or not.
    """

    number: int
    rows: slice
    columns: slice
    distance: np.ndarray
    u: np.ndarray
    v: np.ndarray
    paint: np.ndarray | float
    amodal: int


@dataclass(frozen=True)
class FrameMasks:
    """Labels of one frame.

    Attributes:
        owner: (H, W) int16: 0 background, otherwise 1 + index of the nearest sprite in `scene.sprites`.
        amodal: (N,) int64 pixels of each track's whole silhouette; 0 when none of it is inside
            the frame, or it is not alive.
        patches: sprites in sight, farthest first.
    """

    owner: np.ndarray
    amodal: np.ndarray
    patches: list[Patch]


def rasterise(scene: Scene, time: int) -> FrameMasks:
    """Finds the owner of every pixel at frame `time` (mid-exposure, no anti-aliasing)."""
    owner = np.zeros((scene.height, scene.width), dtype=np.int16)
    amodal = np.zeros(len(scene.tracks), dtype=np.int64)
    sprites = scene.sprites
    patches = []
    for number in sorted(range(len(sprites)), key=lambda k: (sprites[k].depth[time], k)):
        patch = draw_patch(sprites[number], number, time, scene.width, scene.height)
        if patch is None:
            continue
        patches.append(patch)
        covered = patch.distance < 0.0
        owner[patch.rows, patch.columns][covered] = number + 1
        if number < len(scene.tracks) and covered.any():
            amodal[number] = patch.amodal
    return FrameMasks(owner, amodal, patches)


def draw_patch(sprite: Sprite, number: int, time: int, width: int, height: int) -> Patch | None:
    """Signed distance of a sprite over its own box; None where it is not alive or out of the frame."""
    if not sprite.alive[time]:
        return None
    size = sprite.size * float(sprite.scale[time])
    centre_x, centre_y = float(sprite.xy[time, 0]), float(sprite.xy[time, 1])
    half_x, half_y = (half * float(sprite.scale[time]) for half in sprite.half_extent)
    angle = float(sprite.angle[time])
    if angle:
        half_x = half_y = max(half_x, half_y)
    left, right = _pixels(centre_x, half_x, height)
    top, bottom = _pixels(centre_y, half_y, height)
    if right <= 0 or bottom <= 0 or left >= width or top >= height:
        return None
    x = ((np.arange(left, right) + 0.5) / height - centre_x)[None, :]
    y = ((np.arange(top, bottom) + 0.5) / height - centre_y)[:, None]
    u = (x * cos(angle) + y * sin(angle)) / (size * float(sprite.mirror[time]))
    v = (y * cos(angle) - x * sin(angle)) / size
    u, v = np.broadcast_to(u, (bottom - top, right - left)), np.broadcast_to(v, (bottom - top, right - left))
    sd, paint = ALL_SHAPES[sprite.kind].draw(u, v, sprite.proportions, float(sprite.phase[time]))
    sd = np.round(sd, 6)
    amodal = int(np.count_nonzero(sd < 0.0))
    rows, columns = slice(max(top, 0), min(bottom, height)), slice(max(left, 0), min(right, width))
    cut = (slice(rows.start - top, rows.stop - top), slice(columns.start - left, columns.stop - left))
    return Patch(number, rows, columns, sd[cut] * (size * height), u[cut], v[cut],
                 paint[cut] if isinstance(paint, np.ndarray) else paint, amodal)


def _pixels(centre: float, half: float, height: int) -> tuple[int, int]:
    """First and one-past-last pixel of centre +- half along one axis, with a margin for soft edges."""
    return (floor((centre - half) * height) - PATCH_MARGIN_PX, ceil((centre + half) * height) + PATCH_MARGIN_PX)
