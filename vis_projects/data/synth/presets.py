"""Sizes and knobs of the SynthVIS presets `tiny`, `small` and `full`, and the options of single scenes."""

from collections.abc import Mapping
from dataclasses import dataclass, field

CLASS_NAMES = ("ball", "box", "star", "ring", "fish", "walker", "bird", "car")
"""Category id k is CLASS_NAMES[k - 1]."""

EVENT_NAMES = ("lookalike", "crowd", "late", "leave", "cross", "occlude", "fast", "change")
"""Scripted events in the order in which they are applied to a scene."""

SPLITS = ("train", "val", "test")


@dataclass(frozen=True)
class Preset:
    """Everything that distinguishes one preset from another.

    Lengths are in frames, sizes are shares of the frame height, `speed` is the median step between two frames over
    the square root of the object's area. `events` holds the share of tracks (of videos for `crowd`) that an event
    is tried on; `track_bias` below 1 moves the number of tracks per video towards `max_tracks`.
    """

    name: str
    width: int
    height: int
    length: int
    num_classes: int
    min_tracks: int
    max_tracks: int
    track_bias: float
    num_videos: Mapping[str, int]
    object_height: tuple[float, float]
    speed: float
    texture_size: int
    events: Mapping[str, float]
    gap_frames: tuple[int, int]
    margin: float = 0.06
    full_occlusion: float = 0.3
    exposures: tuple[float, ...] = (0.0, 0.3, 0.6, 0.9)
    camouflage: float = 0.2
    max_clutter: int = 2
    max_noise: float = 6.0
    background_chroma: float = 40.0

    @property
    def aspect(self) -> float:
        """Frame width over frame height."""
        return self.width / self.height


PRESETS: Mapping[str, Preset] = {
    "tiny": Preset(
        name="tiny", width=160, height=96, length=16, num_classes=4, min_tracks=2, max_tracks=4, track_bias=0.8,
        num_videos={"train": 48, "val": 16, "test": 16}, object_height=(0.25, 0.5), speed=0.13, texture_size=64,
        events={"lookalike": 0.3, "crowd": 0.0, "late": 0.15, "leave": 0.2, "cross": 0.3, "occlude": 0.2,
                "fast": 0.15, "change": 0.2},
        gap_frames=(3, 5), margin=0.1, full_occlusion=0.15, exposures=(0.0, 0.0, 0.3), camouflage=0.0,
        max_clutter=1, max_noise=3.0, background_chroma=15.0),
    "small": Preset(
        name="small", width=320, height=192, length=24, num_classes=8, min_tracks=2, max_tracks=7, track_bias=0.45,
        num_videos={"train": 300, "val": 40, "test": 40}, object_height=(0.2, 0.55), speed=0.125, texture_size=128,
        events={"lookalike": 0.45, "crowd": 0.2, "late": 0.28, "leave": 0.17, "cross": 0.4, "occlude": 0.25,
                "fast": 0.24, "change": 0.25},
        gap_frames=(4, 8), margin=0.11, full_occlusion=0.25),
    "full": Preset(
        name="full", width=640, height=360, length=36, num_classes=8, min_tracks=3, max_tracks=10, track_bias=0.32,
        num_videos={"train": 2000, "val": 120, "test": 120}, object_height=(0.15, 0.56), speed=0.105, texture_size=256,
        events={"lookalike": 0.45, "crowd": 0.2, "late": 0.28, "leave": 0.18, "cross": 0.4, "occlude": 0.1,
                "fast": 0.2, "change": 0.25},
        gap_frames=(4, 10), margin=0.05, full_occlusion=0.1, max_clutter=1),
}


@dataclass(frozen=True)
class SceneOptions:
    """What a caller asks of the scenes beyond the preset.

    Attributes:
        num_objects: number of tracks in each video (0 is an empty scene); None draws it.
        length: number of frames; None takes the preset's.
        events: share of tracks per event in place of the preset's; events it does not name are off. None keeps the
            preset's shares.
        absence: "" (none), "never" (the first object never shows) or "all_leave" (all objects are gone after half
            of the video).
        scale: size of the frame relative to the preset; geometry does not change.
        factor_seeds: seeds of single factors in place of the set's (see `VideoStreams`).
    """

    num_objects: int | None = None
    length: int | None = None
    events: Mapping[str, float] | None = None
    absence: str = ""
    scale: float = 1.0
    factor_seeds: Mapping[str, int] = field(default_factory=dict)

    def __post_init__(self):
        if self.absence not in ("", "never", "all_leave"):
            raise ValueError(f"absence is {self.absence!r}; it must be '', 'never' or 'all_leave'")
        if self.length is not None and self.length < 1:
            raise ValueError(f"length is {self.length}; a video needs at least one frame")
        unknown = sorted(set(self.events or ()) - set(EVENT_NAMES))
        if unknown:
            raise ValueError(f"events names {unknown}; the events are {', '.join(EVENT_NAMES)}")


def get_preset(name: str) -> Preset:
    """The preset called `name`; a ValueError lists the known ones."""
    if name not in PRESETS:
        raise ValueError(f"unknown SynthVIS preset {name!r}; choose one of {', '.join(PRESETS)}")
    return PRESETS[name]
