import numpy as np
import pytest

from vis_projects.data.synth import EVENT_NAMES, probe, probe_effect


@pytest.mark.parametrize("event", EVENT_NAMES)
def test_a_probe_switches_one_event(event):
    off, on = probe(event, num_videos=3)
    touched = {name for k in range(3) for name in on.scene(k).events}
    assert event in touched and event not in {name for k in range(3) for name in off.scene(k).events}
    assert touched <= {event, "lookalike"}
    for k in range(3):
        assert len(off.scene(k).tracks) == len(on.scene(k).tracks) == (6 if event == "crowd" else 4)


def test_settings_share_everything_before_the_event():
    off, on = probe("change", num_videos=1)
    assert np.array_equal(off.scene(0).camera.offset, on.scene(0).camera.offset)
    for a, b in zip(off.scene(0).tracks, on.scene(0).tracks):
        assert a.look == b.look and np.array_equal(a.xy, b.xy)


def test_effect_and_interval_by_hand():
    values_off, values_on = np.array([0.5, 0.5]), np.array([0.5, 0.3])
    effect = probe_effect(lambda v: values_off[v].mean(), lambda v: values_on[v].mean(), 2, rounds=200)
    assert effect == pytest.approx((-0.1, -0.2, 0.0))  # resamples give 0, -0.1 or -0.2, the ends in a quarter each


def test_unknown_event():
    with pytest.raises(ValueError, match="explode"):
        probe("explode")
