"""Probes: pairs of small sets that differ in one scripted event only, and the effect of it on a score."""

from collections.abc import Callable, Sequence

import numpy as np

from vis_projects.data.synth.dataset import SynthVIS
from vis_projects.data.synth.presets import EVENT_NAMES, SceneOptions

NUM_PROBE_VIDEOS = 8
PROBE_TRACKS, CROWD_TRACKS = 4, 6
BASE_EVENTS = {"cross": {"lookalike": 0.5}}
"""Events that run in both settings of a probe: meetings are only hard between objects of one class."""


def probe(event: str, preset: str = "small", *, num_videos: int = NUM_PROBE_VIDEOS,
          seed: int = 0) -> tuple[SynthVIS, SynthVIS]:
    """The same videos without and with `event`; every other factor is equal.

    Args:
        event: one of EVENT_NAMES.
        preset: size of the videos.
        num_videos: videos per setting.
        seed: seed of both sets.

    Returns:
        (off, on), both of split "test".

    Raises:
        ValueError: for an unknown event.
    """
    if event not in EVENT_NAMES:
        raise ValueError(f"unknown event {event!r}; the events are {', '.join(EVENT_NAMES)}")
    base = BASE_EVENTS.get(event, {})
    tracks = CROWD_TRACKS if event == "crowd" else PROBE_TRACKS
    off, on = (SynthVIS(preset, "test", seed, num_videos=num_videos,
                        options=SceneOptions(num_objects=tracks, events=events))
               for events in (base, {**base, event: 1.0}))
    return off, on


def probe_effect(score_off: Callable[[Sequence[int]], float], score_on: Callable[[Sequence[int]], float],
                 num_videos: int = NUM_PROBE_VIDEOS, *, rounds: int = 1000, seed: int = 0,
                 confidence: float = 0.95) -> tuple[float, float, float]:
    """Effect of an event on a score, with a bootstrap interval over videos.

    Args:
        score_off, score_on: score of a method on a list of video indices (repeats allowed) of either setting.
        num_videos: number of videos in each setting.
        rounds: resamples; both settings use the same videos in each.
        seed: seed of the resampling.
        confidence: mass of the interval.

    Returns:
        (score on - score off over all videos, lower end, upper end).
    """
    def difference(videos: Sequence[int]) -> float:
        return score_on(videos) - score_off(videos)

    rng = np.random.Generator(np.random.PCG64(seed))
    samples = [difference(rng.integers(num_videos, size=num_videos).tolist()) for _ in range(rounds)]
    tail = 50.0 * (1.0 - confidence)
    low, high = np.percentile(samples, [tail, 100.0 - tail])
    return difference(list(range(num_videos))), float(low), float(high)
