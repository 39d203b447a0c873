"""The scene of one video: sprites in frame coordinates, ready to be rasterised."""

from dataclasses import dataclass

import numpy as np

from vis_projects.data.synth.backgrounds import draw_background_kind
from vis_projects.data.synth.events import apply_events
from vis_projects.data.synth.motion import FOLLOW, Camera, draw_camera
from vis_projects.data.synth.presets import SPLITS, Preset, SceneOptions, get_preset
from vis_projects.data.synth.sprite import Sprite
from vis_projects.data.synth.stage import (Stage, draw_clutter, draw_paths, draw_tracks, set_depth_and_scale,
                                           set_pose)
from vis_projects.data.synth.streams import VideoStreams


@dataclass(frozen=True)
class Scene:
    """One video before rasterisation.

    Attributes:
        preset: preset it was drawn from.
        split, index: where it belongs.
        width, height: size of the frames in pixels.
        length: number of frames.
        tracks: labelled sprites.
        props: clutter and occluders.
        camera: already applied to the sprites; the background still needs it.
        ground: whether objects stand on a ground plane.
        exposure: exposure time as a share of the frame time.
        background: kind of the background.
        events: names of the events that touched a track.
        streams: random streams of the video.
    """

    preset: Preset
    split: str
    index: int
    width: int
    height: int
    length: int
    tracks: list[Sprite]
    props: list[Sprite]
    camera: Camera
    ground: bool
    exposure: float
    background: str
    events: list[str]
    streams: VideoStreams

    @property
    def sprites(self) -> list[Sprite]:
        """Tracks, then props."""
        return self.tracks + self.props


def draw_scene(preset: str, split: str, index: int, seed: int = 0, options: SceneOptions = SceneOptions()) -> Scene:
    """Draws video `index` of a split; it depends on the arguments only, not on other videos.

    Raises:
        ValueError: for an unknown preset or split.
    """
    chosen = get_preset(preset)
    if split not in SPLITS:
        raise ValueError(f"unknown SynthVIS split {split!r}; choose one of {', '.join(SPLITS)}")
    streams = VideoStreams(preset, split, seed, index, options.factor_seeds)
    length = options.length or chosen.length
    objects, looks = streams.of("objects"), streams.of("looks")
    camera = draw_camera(streams.of("camera"), length, chosen.aspect)
    stage = Stage(chosen, split, length, bool(objects.random() < 0.5), camera, [])
    drawn = chosen.min_tracks + int((chosen.max_tracks - chosen.min_tracks + 1) * objects.random() ** chosen.track_bias)
    count = min(drawn, chosen.max_tracks) if options.num_objects is None else options.num_objects
    draw_tracks(objects, looks, stage, count, index)
    draw_clutter(objects, looks, stage)
    motion = streams.of("motion")
    draw_paths(motion, stage)
    shares = chosen.events if options.events is None else options.events
    events = apply_events(streams.of("events"), stage, shares)
    _apply_absence(stage, options.absence)
    set_depth_and_scale(stage)
    set_pose(motion, stage)
    _apply_camera(stage)
    exposures = chosen.exposures
    exposure = exposures[int(streams.of("blur").integers(len(exposures)))]
    return Scene(chosen, split, index, round(chosen.width * options.scale), round(chosen.height * options.scale),
                 length, stage.tracks, stage.props, camera, stage.ground, exposure,
                 draw_background_kind(streams.of("background")), events, streams)


def _apply_absence(stage: Stage, absence: str) -> None:
    outside = np.array([-5.0, 0.5])
    if absence == "never" and stage.tracks:
        stage.tracks[0].xy[:] = outside
    if absence == "all_leave":
        for track in stage.tracks:
            track.xy[(stage.length + 1) // 2:] = outside


def _apply_camera(stage: Stage) -> None:
    """World to frame coordinates: pan (in part followed), then zoom about the frame's centre."""
    centre = np.array([stage.aspect / 2, 0.5])
    zoom = stage.camera.zoom
    for sprite in stage.tracks + stage.props:
        pan = stage.camera.offset * ((1.0 - FOLLOW) if sprite.followed else 1.0)
        sprite.xy = centre + (sprite.xy - centre - pan) * zoom[:, None]
        sprite.scale = sprite.scale * zoom
