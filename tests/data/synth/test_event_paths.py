import numpy as np
import pytest

from vis_projects.data.synth.event_paths import (OUTSIDE_MARGIN, bump, cross, crowd, fast, late, leave, outside_point,
                                                 pick)
from vis_projects.data.synth.looks import Look
from vis_projects.data.synth.motion import Camera
from vis_projects.data.synth.presets import PRESETS
from vis_projects.data.synth.sprite import Sprite
from vis_projects.data.synth.stage import Stage

LOOK = Look("plain", ((50.0, 0.0, 0.0), (80.0, 0.0, 0.0)), 3.0, 0.0, 0.0, 0)
LENGTH = 24


def generator(seed=0):
    return np.random.Generator(np.random.PCG64(seed))


def make_stage(*places, length=LENGTH):
    """Balls of size 0.1 that drift to the right by 0.01 per frame."""
    still = Camera("none", np.zeros((length, 2)), np.ones(length))
    tracks = [Sprite.still("ball", 1, (1.0,) * 4, 0.1, LOOK, place, length) for place in places]
    for track in tracks:
        track.xy[:, 0] += 0.01 * np.arange(length)
    return Stage(PRESETS["small"], "val", length, False, still, tracks)


def in_frame(track, stage):
    x, y = track.xy.T
    return (x > -0.1) & (x < stage.aspect + 0.1) & (y > -0.1) & (y < 1.1)


def test_pick_has_the_expected_count():
    tracks = list(range(4))
    counts = [len(pick(generator(seed), tracks, 0.4)) for seed in range(200)]
    assert set(counts) == {1, 2}
    assert np.mean(counts) == pytest.approx(1.6, abs=0.1)  # 0.4 * 4
    assert pick(generator(), [], 1.0) == []


def test_bump_is_one_at_its_centre_and_local():
    assert bump(7, 3, 2) == pytest.approx([0, 0, 0.5, 1, 0.5, 0, 0])  # cos^2(45 degrees) = 1/2


@pytest.mark.parametrize("event", [cross, leave, late, fast, crowd])
@pytest.mark.parametrize("stage", [make_stage(), make_stage((0.5, 0.5), length=1), make_stage((0.5, 0.5), length=2)],
                         ids=["empty", "one frame", "two frames"])
def test_events_leave_degenerate_stages_alone(event, stage):
    before = [track.xy.copy() for track in stage.tracks]
    event(generator(), stage, 1.0)
    assert all(np.array_equal(a, track.xy) for a, track in zip(before, stage.tracks))


@pytest.mark.parametrize("seed", range(8))
def test_cross_brings_two_together_and_apart(seed):
    stage = make_stage((0.4, 0.3), (0.9, 0.7))
    cross(generator(seed), stage, 1.0)
    first, second = stage.tracks
    distance = np.hypot(*(first.xy - second.xy).T)
    assert first.events == second.events == ["cross"]
    assert distance.min() <= 0.6 * 1.4 * 0.1 + 1e-9  # overlap 0.4 of the smaller: gap (1 - 0.4) * 1.4 * size
    assert distance[0] == pytest.approx(distance[-1]) and distance[0] > 0.5


def test_cross_goes_on_or_turns_back():
    ends = set()
    for seed in range(20):
        stage = make_stage((0.4, 0.3), (0.9, 0.7))
        cross(generator(seed), stage, 1.0)
        ends.add(round(float(stage.tracks[0].xy[-1, 1]), 3))
    assert ends == {0.3, 0.7}


def test_look_alikes_cross_first():
    stage = make_stage((0.3, 0.3), (0.8, 0.5), (1.2, 0.7))
    stage.tracks[0].group = stage.tracks[2].group = 0
    cross(generator(), stage, 0.1)
    assert stage.tracks[0].events == stage.tracks[2].events == ["cross"]


def test_leave_is_a_gap_with_frames_on_both_sides():
    happened = 0
    for seed in range(20):
        stage = make_stage((0.05, 0.4))
        leave(generator(seed), stage, 1.0)
        inside = in_frame(stage.tracks[0], stage)
        if stage.tracks[0].events:
            happened += 1
            assert stage.tracks[0].events == ["leave"]
            assert inside[0] and inside[-1] and (~inside).sum() >= 4
        else:
            assert inside.all()
    assert happened >= 10


@pytest.mark.parametrize("seed", range(8))
def test_late_comes_after_a_third_or_goes_before_two_thirds(seed):
    stage = make_stage((0.3, 0.4))
    late(generator(seed), stage, 1.0)
    alive = np.flatnonzero(stage.tracks[0].alive)
    assert alive[0] >= LENGTH / 3 or alive[-1] < 2 * LENGTH / 3
    assert stage.tracks[0].events == ["late"] and len(alive) >= 3


@pytest.mark.parametrize("seed", range(8))
def test_fast_takes_large_steps_inside_the_frame(seed):
    stage = make_stage((0.3, 0.4))
    fast(generator(seed), stage, 1.0)
    steps = np.hypot(*np.diff(stage.tracks[0].xy, axis=0).T) / stage.tracks[0].root_area
    assert (steps > 0.6).sum() >= 3
    assert in_frame(stage.tracks[0], stage).all()


def test_crowd_needs_five_and_gathers_them():
    places = [(0.2 + 0.2 * k, 0.2 + 0.1 * k) for k in range(6)]
    small = make_stage(*places[:4])
    crowd(generator(), small, 1.0)
    assert not any(track.events for track in small.tracks)
    stage = make_stage(*places)
    crowd(generator(), stage, 1.0)
    members = np.array([track.xy[LENGTH // 2] for track in stage.tracks if "crowd" in track.events])
    assert len(members) >= 5
    spread = np.hypot(*(members[:, None] - members[None]).transpose(2, 0, 1))
    assert spread.max() <= 2.5 * 2 * 0.1 + 0.15 * 1.5  # 2.5 heights, and 0.15 of the former distances


def test_outside_point_is_the_nearest_and_clear_of_the_frame():
    stage = make_stage((0.2, 0.5))
    point = outside_point(stage.tracks[0], stage, np.array([0.2, 0.5]))
    assert point == pytest.approx([-(1.25 * 0.1 + OUTSIDE_MARGIN), 0.5])
