"""Births, confirmation and deaths."""

import numpy as np
import pytest

from vis_projects.tracking import BoxKalmanFilter, KalmanTracks

NONE = np.zeros(0, np.int64)


def measured(*us):
    return np.array([[u, 0.0, 1.0, 20.0] for u in us]).reshape(-1, 4)


def labels(count):
    return np.zeros(count, np.int64)


def tracks(**kwargs):
    return KalmanTracks(BoxKalmanFilter(), **kwargs)


def frame(table, slots=NONE, seen=(), new=()):
    """One frame: the slots are seen at the given places, then tracks start at others."""
    table.predict()
    table.see(np.asarray(slots, np.int64), measured(*seen), labels(len(seen)))
    table.delete_lost()
    return table.start(measured(*new), labels(len(new))).tolist()


def test_a_track_is_confirmed_by_its_third_sight_in_a_row():
    table = tracks(num_init=3)
    assert frame(table, new=(0, 50)) == [0, 1]
    frame(table, [0, 1], (0, 50))
    assert table.confirmed.tolist() == [False, False] and table.hits.tolist() == [2, 2]
    frame(table, [0], (0,))
    # the other one was tentative and missed a frame
    assert table.ids.tolist() == [0] and table.confirmed.tolist() == [True]
    assert frame(table, [0], (0,), new=(9,)) == [2]  # 1 is not given again


def test_a_confirmed_track_lives_on_for_its_age():
    table = tracks(num_init=1, max_age_frames=2)
    assert frame(table, new=(0,)) == [0] and table.confirmed.tolist() == [True]
    frame(table), frame(table)
    assert table.ids.tolist() == [0] and table.misses.tolist() == [2]
    frame(table, [0], (0,))
    assert table.misses.tolist() == [0]
    for _ in range(3):
        frame(table)
    assert len(table) == 0 and frame(table, new=(0,)) == [1]


def test_an_unseen_track_goes_on_moving():
    table = tracks(num_init=1)
    frame(table, new=(0,))
    for t in range(1, 30):
        frame(table, [0], (4.0 * t,))
    frame(table), frame(table)
    assert table.mean[0, 0] == pytest.approx(4 * 31, abs=0.2)


@pytest.mark.parametrize("key", ["num_init", "max_age_frames"])
def test_settings_are_checked(key):
    with pytest.raises(ValueError, match=f"MODEL.DEEPSORT.{key.upper()}"):
        tracks(**{key: 0})
