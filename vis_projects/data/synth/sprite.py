"""Sprites: everything that moves or stands in a scene, as arrays over the frames.

Positions and sizes are in units of the frame height: a frame spans [0, aspect] x [0, 1], x right, y down.
"""

from dataclasses import dataclass, field

import numpy as np

from vis_projects.data.synth.clutter import ALL_SHAPES, extent_of
from vis_projects.data.synth.looks import Look


@dataclass(eq=False)
class Sprite:
    """One object, piece of clutter or occluder over T frames.

    Attributes:
        kind: name of the shape.
        category_id: 1-based class, 0 for what has no label.
        proportions: shape parameters (see `shapes` and `clutter`).
        size: half of the height of the unit frame of the shape, units of frame height.
        look: texture and colours.
        xy: (T, 2) centre.
        scale, angle, phase, mirror, depth: (T,) factor on size, in-plane rotation in radians, phase of the moving
            parts, +1 or -1 (faces left), and nearness (larger covers smaller).
        hue_shift, gain: (T,) change of hue in radians and of brightness.
        alive: (T,) bool, false before birth and after death.
        busy: (T,) bool, frames that an event already uses.
        followed: the camera follows it in part (objects), or not at all (the static world).
        group: number of the look-alike group, -1 for none.
        events: names of the events that touched it.
    """

    kind: str
    category_id: int
    proportions: tuple[float, ...]
    size: float
    look: Look
    xy: np.ndarray
    scale: np.ndarray
    angle: np.ndarray
    phase: np.ndarray
    mirror: np.ndarray
    depth: np.ndarray
    hue_shift: np.ndarray
    gain: np.ndarray
    alive: np.ndarray
    busy: np.ndarray
    followed: bool = True
    group: int = -1
    events: list[str] = field(default_factory=list)

    @classmethod
    def still(cls, kind: str, category_id: int, proportions: tuple[float, ...], size: float, look: Look,
              xy: tuple[float, float], length: int, **changes) -> "Sprite":
        """A sprite that stands at `xy` for `length` frames; `changes` replaces single fields."""
        ones, zeros = np.ones(length), np.zeros(length)
        fields = dict(xy=np.tile(np.asarray(xy, dtype=np.float64), (length, 1)), scale=ones, angle=zeros,
                      phase=zeros, mirror=ones, depth=zeros, hue_shift=zeros, gain=ones,
                      alive=np.ones(length, dtype=bool), busy=np.zeros(length, dtype=bool))
        fields = {name: value.copy() for name, value in fields.items()}
        return cls(kind, category_id, proportions, size, look, **(fields | changes))

    @property
    def length(self) -> int:
        """Number of frames T."""
        return len(self.scale)

    @property
    def root_area(self) -> float:
        """Square root of the typical area at scale 1, units of frame height."""
        return self.size * ALL_SHAPES[self.kind].root_area

    @property
    def half_extent(self) -> tuple[float, float]:
        """Half-width and half-height at scale 1 of the upright sprite, units of frame height."""
        ex, ey = extent_of(self.kind, self.proportions)
        return self.size * ex, self.size * ey

    def free(self, start: int, stop: int) -> bool:
        """Whether frames start..stop-1 exist, are alive and no event uses them."""
        if start < 0 or stop > self.length or start >= stop:
            return False
        return bool(self.alive[start:stop].all() and not self.busy[start:stop].any())

    def claim(self, start: int, stop: int, event: str) -> None:
        """Marks frames start..stop-1 as used by `event`."""
        self.busy[max(start, 0):stop] = True
        if event not in self.events:
            self.events.append(event)
