import numpy as np
import pytest

from tests.data.synth.test_event_paths import LENGTH, generator, make_stage
from vis_projects.data.synth import EVENT_NAMES
from vis_projects.data.synth.events import apply_events, change, lookalike, occlude

PLACES = [(0.2 + 0.2 * k, 0.3 + 0.08 * k) for k in range(6)]


def test_no_tracks_no_events():
    assert apply_events(generator(), make_stage(), dict.fromkeys(EVENT_NAMES, 1.0)) == []


def test_events_report_what_touched_a_track():
    stage = make_stage(*PLACES)
    assert apply_events(generator(), stage, {"fast": 1.0, "change": 1.0}) == ["fast", "change"]
    assert apply_events(generator(), make_stage(*PLACES), {"fast": 0.0}) == []


def test_an_event_switched_off_leaves_the_draws_of_the_others():
    alone, both = make_stage(*PLACES), make_stage(*PLACES)
    apply_events(generator(), alone, {"change": 1.0})
    apply_events(generator(), both, {"lookalike": 1.0, "change": 1.0})
    for a, b in zip(alone.tracks, both.tracks):
        assert np.array_equal(a.hue_shift, b.hue_shift) and np.array_equal(a.gain, b.gain)


@pytest.mark.parametrize("share", [0.2, 0.5, 1.0])
def test_look_alikes_come_in_groups_of_one_class_and_texture(share):
    stage = make_stage(*PLACES)
    for k, track in enumerate(stage.tracks):
        track.category_id = k + 1
    lookalike(generator(3), stage, share)
    grouped = [track for track in stage.tracks if track.group >= 0]
    assert len(grouped) >= 2
    for number in {track.group for track in grouped}:
        members = [track for track in grouped if track.group == number]
        assert 2 <= len(members) <= 4
        assert len({track.category_id for track in members}) == len({track.look.seed for track in members}) == 1
        sizes = [track.size for track in members]
        assert max(sizes) / min(sizes) <= 1.05 / 0.95 + 1e-9


def test_a_single_track_has_no_look_alike():
    stage = make_stage(PLACES[0])
    lookalike(generator(), stage, 1.0)
    assert stage.tracks[0].group == -1


def test_occluder_stands_in_front_of_its_target():
    stage = make_stage((0.5, 0.5))
    occlude(generator(), stage, 1.0)
    (prop,), target = stage.props, stage.tracks[0]
    assert target.events == ["occlude"] and not prop.followed
    assert prop.depth[0] > target.depth.max()
    half_width = prop.half_extent[0]
    assert (np.abs(target.xy[:, 0] - prop.xy[:, 0]) < half_width + 0.1).any()


def test_changes_are_of_four_kinds():
    seen = set()
    for seed in range(30):
        stage = make_stage((0.5, 0.5))
        change(generator(seed), stage, 1.0)
        track = stage.tracks[0]
        drift = np.rad2deg(np.abs(track.hue_shift).max())
        kinds = {"hue": drift > 0, "mirror": (track.mirror < 0).any(), "lights": (track.gain < 1).any(),
                 "scale": track.scale.max() / track.scale.min() > 1.9}
        assert sum(kinds.values()) == 1 and track.events == ["change"]
        assert drift == 0 or 59 < drift < 121
        seen |= {name for name, happened in kinds.items() if happened}
    assert seen == {"hue", "mirror", "lights", "scale"}
    assert LENGTH == len(track.gain)
