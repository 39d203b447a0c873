"""Pixels of a scene: textures, shading, motion blur, shadows, light and noise over the label map's geometry."""

from math import ceil

import numpy as np

from vis_projects.data.synth.backgrounds import crop_canvas, draw_canvas
from vis_projects.data.synth.clutter import ALL_SHAPES
from vis_projects.data.synth.light import apply_light, apply_sensor, draw_defocus, draw_light, draw_sensor
from vis_projects.data.synth.looks import TEXTURE_HALF_WIDTH, lab_to_rgb, pattern_map, turn_hue
from vis_projects.data.synth.masks import FrameMasks, Patch
from vis_projects.data.synth.scene import Scene
from vis_projects.data.synth.sprite import Sprite

MAX_SUBFRAMES = 9
SUBFRAME_STEP_PX = 3.0
RELIEF = 0.35
"""Depth below the outline, in the unit frame, at which a sprite's surface is flat."""


class VideoRenderer:
    """Renders the frames of one scene.

    Args:
        scene: the video; its looks, background, light and noise come from their own streams.
    """

    def __init__(self, scene: Scene):
        self._scene = scene
        look = scene.tracks[0].look if scene.tracks else None
        self._canvas = draw_canvas(scene.streams.of("background"), scene.preset, scene.width, scene.height, look)
        self._light = draw_light(scene.streams.of("light"), scene.length)
        self._sensor = draw_sensor(scene.streams.of("noise"), scene.preset, scene.length)
        blur = scene.streams.of("blur")
        blur.integers(len(scene.preset.exposures))  # the scene has taken this draw as its exposure
        self._defocus = draw_defocus(blur)
        self._patterns = [pattern_map(sprite.look, scene.preset.texture_size) for sprite in scene.sprites]

    @property
    def jpeg_quality(self) -> int:
        """Quality for writing the frames of this video."""
        return self._sensor.jpeg_quality

    def frame(self, time: int, masks: FrameMasks) -> np.ndarray:
        """Frame `time` as (H, W, 3) uint8 RGB; `masks` is `rasterise(scene, time)`."""
        scene = self._scene
        frame = self._background(time)
        for patch in masks.patches:
            sprite = scene.sprites[patch.number]
            if scene.ground and sprite.followed:
                _cast_shadow(frame, sprite, time)
            colour, alpha = self._paint(sprite, patch, time)
            _composite(frame, patch, colour, alpha, self._shifts(sprite.xy, time))
        if self._defocus > 0.0:
            frame = _gaussian(frame, self._defocus)
        return apply_sensor(apply_light(frame, self._light, time), self._sensor, time)

    def _background(self, time: int) -> np.ndarray:
        scene, camera = self._scene, self._scene.camera
        shifts = self._shifts(-camera.offset, time)[:4]
        crops = [crop_canvas(self._canvas, scene.width, scene.height,
                             (camera.offset[time, 0] - dx / scene.height, camera.offset[time, 1] - dy / scene.height),
                             float(camera.zoom[time])) for dx, dy in shifts]
        return crops[0] if len(crops) == 1 else np.mean(crops, axis=0, dtype=np.float32)

    def _shifts(self, xy: np.ndarray, time: int) -> list[tuple[int, int]]:
        """Whole-pixel displacements of the sub-frames of one exposure around its middle."""
        before, after = max(time - 1, 0), min(time + 1, len(xy) - 1)
        step = (xy[after] - xy[before]) * (self._scene.exposure * self._scene.height / max(after - before, 1))
        count = min(1 + ceil(float(np.hypot(*step)) / SUBFRAME_STEP_PX), MAX_SUBFRAMES)
        if count == 1 or np.abs(step).max() > self._scene.width:
            return [(0, 0)]
        return [(round(float(step[0]) * part), round(float(step[1]) * part)) for part in np.linspace(-0.5, 0.5, count)]

    def _paint(self, sprite: Sprite, patch: Patch, time: int) -> tuple[np.ndarray, np.ndarray]:
        """Colour (h, w, 3) and coverage (h, w) of a patch, float32."""
        pattern, look = self._patterns[patch.number], sprite.look
        size = len(pattern)
        roll = float(sprite.phase[time]) if ALL_SHAPES[sprite.kind].rolls else 0.0
        columns = ((patch.u + roll) / (2 * TEXTURE_HALF_WIDTH) + 0.5) * size
        rows = (patch.v / (2 * TEXTURE_HALF_WIDTH) + 0.5) * size
        weight = pattern[rows.astype(np.int64) % size, np.floor(columns).astype(np.int64) % size]
        first, second = lab_to_rgb(np.array([turn_hue(c, float(sprite.hue_shift[time])) for c in look.colours]))
        unit = sprite.size * float(sprite.scale[time]) * self._scene.height
        shade = _shading(patch.distance.astype(np.float32), unit, look.rim) * float(sprite.gain[time]) * patch.paint
        colour = first.astype(np.float32) + (second - first).astype(np.float32) * weight[..., None]
        alpha = np.clip(0.5 - patch.distance, 0.0, 1.0).astype(np.float32)
        return np.clip(colour * shade.astype(np.float32)[..., None], 0.0, 1.0), alpha


def _shading(distance: np.ndarray, unit: float, rim: float) -> np.ndarray:
    """Lambert shading of a pillow over the silhouette, lit from the upper left, with a highlight on the rim."""
    if min(distance.shape) < 2:
        return np.ones_like(distance)
    flat = np.clip(-distance / (RELIEF * unit), 0.0, 1.0)
    slope_y, slope_x = np.gradient(distance)
    lit = 0.72 + 0.28 * flat - 0.22 * (1.0 - flat) * (0.6 * slope_x + 0.8 * slope_y)
    return lit + rim * np.exp(-((distance + 1.5) ** 2))


def _composite(frame: np.ndarray, patch: Patch, colour: np.ndarray, alpha: np.ndarray,
               shifts: list[tuple[int, int]]) -> None:
    """Blends a patch into the frame in place, averaged over the shifts (x, y) of the exposure."""
    top, left = patch.rows.start, patch.columns.start
    if len(shifts) == 1:
        part = frame[patch.rows, patch.columns]
        part += (colour - part) * alpha[..., None]
        return
    pad_x, pad_y = max(abs(dx) for dx, _ in shifts), max(abs(dy) for _, dy in shifts)
    h, w = alpha.shape
    layer = np.zeros((h + 2 * pad_y, w + 2 * pad_x, 4), dtype=np.float32)
    premultiplied = np.concatenate([colour * alpha[..., None], alpha[..., None]], axis=2) / np.float32(len(shifts))
    for dx, dy in shifts:
        layer[pad_y + dy:pad_y + dy + h, pad_x + dx:pad_x + dx + w] += premultiplied
    y0, x0 = top - pad_y, left - pad_x
    rows = slice(max(y0, 0), min(y0 + layer.shape[0], frame.shape[0]))
    columns = slice(max(x0, 0), min(x0 + layer.shape[1], frame.shape[1]))
    layer = layer[rows.start - y0:rows.stop - y0, columns.start - x0:columns.stop - x0]
    part = frame[rows, columns]
    part *= 1.0 - layer[..., 3:]
    part += layer[..., :3]


def _cast_shadow(frame: np.ndarray, sprite: Sprite, time: int) -> None:
    """Soft contact shadow below the foot point, in place."""
    height, width = frame.shape[:2]
    size = sprite.size * float(sprite.scale[time])
    x, y = float(sprite.xy[time, 0]), float(sprite.xy[time, 1]) + 0.95 * sprite.half_extent[1] / sprite.size * size
    if not sprite.alive[time]:
        return
    half_x, half_y = 0.9 * size, 0.22 * size
    rows = slice(max(int((y - half_y) * height), 0), max(min(int((y + half_y) * height) + 1, height), 0))
    columns = slice(max(int((x - half_x) * height), 0), max(min(int((x + half_x) * height) + 1, width), 0))
    if rows.start >= rows.stop or columns.start >= columns.stop:
        return
    u = ((np.arange(columns.start, columns.stop) + 0.5) / height - x) / half_x
    v = ((np.arange(rows.start, rows.stop) + 0.5) / height - y) / half_y
    depth = np.clip(1.0 - np.hypot(u[None, :], v[:, None]), 0.0, 1.0).astype(np.float32)
    frame[rows, columns] *= (1.0 - 0.5 * depth)[..., None]


def _gaussian(frame: np.ndarray, sigma: float) -> np.ndarray:
    """Separable Gaussian blur of (H, W, 3), edges repeated."""
    taps = np.arange(-3, 4)
    kernel = np.exp(-0.5 * (taps / sigma) ** 2)
    kernel = (kernel / kernel.sum()).astype(np.float32)
    for axis in (0, 1):
        pad = [(3, 3) if k == axis else (0, 0) for k in range(3)]
        padded, count = np.pad(frame, pad, mode="edge"), frame.shape[axis]
        frame = sum(weight * np.take(padded, range(k, k + count), axis=axis) for k, weight in enumerate(kernel))
    return frame
