"""The stage of one video before the camera: tracks and clutter with their looks and first paths."""

from dataclasses import dataclass, field

import numpy as np

from vis_projects.data.synth.clutter import ALL_SHAPES, CLUTTER_SHAPES
from vis_projects.data.synth.looks import draw_look
from vis_projects.data.synth.motion import Camera, Region, bounce_path, orbit_path, waypoint_path
from vis_projects.data.synth.presets import CLASS_NAMES, Preset
from vis_projects.data.synth.sprite import Sprite

FACING = ("fish", "walker", "bird", "car")
"""Shapes that look where they go."""
ORBIT_SHARE, BOUNCE_SHARE = 0.15, 0.25
GROUND_SCALE = (0.65, 1.4)


@dataclass
class Stage:
    """What events may edit.

    Attributes:
        preset, split, length: what is being made; `length` in frames.
        ground: objects stand on a ground plane: nearness and size follow the foot point.
        camera: the camera of the video.
        tracks: labelled objects.
        props: clutter and occluders.
    """

    preset: Preset
    split: str
    length: int
    ground: bool
    camera: Camera
    tracks: list[Sprite]
    props: list[Sprite] = field(default_factory=list)

    @property
    def aspect(self) -> float:
        """Frame width over frame height."""
        return self.preset.aspect

    def region_of(self, sprite: Sprite) -> Region:
        """Where the centre of `sprite` may move freely, (x0, y0, x1, y1) in frame heights."""
        margin = 0.7 * sprite.size + self.preset.margin
        top = 0.35 + 0.5 * self.preset.margin if self.ground else margin
        return margin, min(top, 1.0 - margin), self.aspect - margin, 1.0 - margin


def draw_tracks(rng: np.random.Generator, looks: np.random.Generator, stage: Stage, count: int, index: int) -> None:
    """Adds `count` tracks without motion; the class of the first rotates with the video's `index`."""
    preset = stage.preset
    low, high = preset.object_height
    for k in range(count):
        category = index % preset.num_classes + 1 if k == 0 else int(rng.integers(preset.num_classes)) + 1
        height = low + (high - low) * rng.random() ** 0.85
        proportions = tuple(float(v) for v in rng.uniform(0.85, 1.15, size=4))
        kind = CLASS_NAMES[category - 1]
        stage.tracks.append(Sprite.still(
            kind, category, proportions, _size(kind, height), draw_look(looks, stage.split),
            (stage.aspect / 2, 0.5), stage.length, depth=np.full(stage.length, rng.random())))


def draw_clutter(rng: np.random.Generator, looks: np.random.Generator, stage: Stage) -> None:
    """Adds up to `max_clutter` unlabelled sprites without motion."""
    low, high = stage.preset.object_height
    for _ in range(int(rng.integers(stage.preset.max_clutter + 1))):
        kind = tuple(CLUTTER_SHAPES)[int(rng.integers(len(CLUTTER_SHAPES)))]
        proportions = tuple(float(v) for v in rng.uniform(0.85, 1.15, size=4))
        stage.props.append(Sprite.still(
            kind, 0, proportions, float(rng.uniform(low, 0.6 * high) / 2), draw_look(looks, stage.split),
            (stage.aspect / 2, 0.5), stage.length, depth=np.full(stage.length, 0.5 * rng.random())))


def draw_paths(rng: np.random.Generator, stage: Stage) -> None:
    """Gives each track and each piece of clutter its path."""
    for number, sprite in enumerate(stage.tracks + stage.props):
        region = stage.region_of(sprite)
        speed = float(np.clip(stage.preset.speed * np.exp(0.4 * rng.standard_normal()), 0.06, 0.5))
        step = speed * sprite.root_area
        kind = rng.random()
        if kind < ORBIT_SHARE and number > 0:
            partner = stage.tracks[int(rng.integers(min(number, len(stage.tracks))))] if stage.tracks else sprite
            radius = float(rng.uniform(1.0, 1.8)) * (sprite.size + partner.size)
            sprite.xy = orbit_path(rng, partner.xy, radius, step, region)
        elif kind < ORBIT_SHARE + BOUNCE_SHARE:
            sprite.xy = bounce_path(rng, stage.length, region, step)
        else:
            sprite.xy = waypoint_path(rng, stage.length, region, step)


def set_depth_and_scale(stage: Stage) -> None:
    """Ground scenes: nearness is the foot point's y, and the size grows with it within the preset's range."""
    if not stage.ground:
        return
    low, high = stage.preset.object_height
    for sprite in stage.tracks + [prop for prop in stage.props if prop.kind in CLUTTER_SHAPES]:
        near = np.clip((sprite.xy[:, 1] - 0.35) / 0.5, 0.0, 1.0)
        scale = GROUND_SCALE[0] + (GROUND_SCALE[1] - GROUND_SCALE[0]) * near
        smallest, largest = _size(sprite.kind, low) / sprite.size, _size(sprite.kind, high) / sprite.size
        sprite.scale = sprite.scale * np.clip(scale, min(smallest, 1.0), max(largest, 1.0))
        sprite.depth = sprite.xy[:, 1] + sprite.size * sprite.scale


def set_pose(rng: np.random.Generator, stage: Stage) -> None:
    """Phase, rotation and facing of every sprite, from its final path; draws the same numbers for every shape."""
    t = np.arange(stage.length)
    for sprite in stage.tracks + stage.props:
        start, rate, spin = rng.uniform(0, 2 * np.pi), rng.uniform(0.5, 1.0), rng.uniform(0.04, 0.22)
        sign = 1.0 if rng.random() < 0.5 else -1.0
        if not sprite.followed:
            continue
        steps = np.diff(sprite.xy, axis=0, prepend=sprite.xy[:1])
        travel = np.cumsum(np.hypot(steps[:, 0], steps[:, 1])) / sprite.size
        phase = {"ball": np.cumsum(steps[:, 0]) / sprite.size, "box": sign * 1.5 * spin * t, "ring": 0.4 * rate * t,
                 "walker": 0.6 * rate * t + travel, "car": 4.0 * travel}.get(sprite.kind, rate * t)
        sprite.phase = start + phase
        if ALL_SHAPES[sprite.kind].turns and sprite.kind != "ring":
            sprite.angle = start + sign * spin * t
        if sprite.kind in FACING:
            sprite.mirror = sprite.mirror * _facing(steps[:, 0] / sprite.size, sign)


def _size(kind: str, height: float) -> float:
    """Size of a sprite whose height is `height`."""
    return float(height / (2 * ALL_SHAPES[kind].half_height))


def _facing(steps: np.ndarray, start: float) -> np.ndarray:
    """+1 while moving right, -1 while moving left; slow frames keep the last direction. (T,)"""
    facing, current = np.empty(len(steps)), start
    for k, step in enumerate(steps):
        if abs(step) > 0.08:
            current = 1.0 if step > 0 else -1.0
        facing[k] = current
    return facing
