"""support_frames and KeySupportSampler: one-frame videos first, then the rule by hand."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vis_projects.data.support_sampler import SUPPORT_MODES, KeySupportSampler, support_frames


def rng(seed=0):
    return np.random.default_rng(seed)


@pytest.mark.parametrize("mode", SUPPORT_MODES)
def test_a_one_frame_video_supports_itself(mode):
    assert support_frames(1, 0, 3, mode, rng()) == [0, 0, 0]
    roles = KeySupportSampler(2, mode, with_reference=True)(1, 0, rng(), [0])
    assert roles == {"key": [0], "support": [0, 0], "reference": [0]}


def test_uniform_takes_the_middle_of_equal_shares():
    # candidates of key 3 in 9 frames: 0 1 2 4 5 6 7 8 (n = 8), count 4: floor((k + 1/2) 8 / 4) = 1, 3, 5, 7
    assert support_frames(9, 3, 4, "uniform") == [1, 4, 6, 8]
    # n = 2, count 4: floor((k + 1/2) 2 / 4) = floor(1/4), floor(3/4), floor(5/4), floor(7/4) = 0, 0, 1, 1
    assert support_frames(3, 1, 4, "uniform") == [0, 0, 2, 2]


def test_uniform_past_never_looks_ahead():
    assert support_frames(100, 0, 2, "uniform_past") == [0, 0]
    # candidates 0..3, count 2: floor(1/2 * 2) = 1, floor(3/2 * 2) = 3
    assert support_frames(100, 4, 2, "uniform_past") == [1, 3]


def test_recent_takes_the_last_frames():
    assert support_frames(100, 0, 2, "recent") == [0, 0]
    assert support_frames(100, 9, 3, "recent") == [6, 7, 8]
    # two candidates for three places: floor((k + 1/2) 2 / 3) = 0, 1, 1
    assert support_frames(100, 2, 3, "recent") == [0, 1, 1]


@given(st.integers(2, 30), st.data(), st.integers(1, 6), st.sampled_from(SUPPORT_MODES), st.integers(0, 99))
def test_supports_are_ordered_other_frames(length, data, count, mode, seed):
    key = data.draw(st.integers(0, length - 1))
    frames = support_frames(length, key, count, mode, rng(seed))
    candidates = {"uniform_past": range(key), "recent": range(max(key - count, 0), key)}.get(
        mode, [t for t in range(length) if t != key])
    assert len(frames) == count and frames == sorted(frames)
    assert set(frames) <= (set(candidates) or {key})
    if len(candidates) >= count:
        assert len(set(frames)) == count


def test_random_supports_leave_the_reference_out_while_frames_last():
    sampler = KeySupportSampler(2, "random", with_reference=True)
    for seed in range(50):
        roles = sampler(4, 1, rng(seed), [1, 3])
        assert roles == {"key": [1], "support": [0, 2], "reference": [3]}
    assert list(sampler(4, 1, rng())) == ["key", "support", "reference"]


def test_supports_without_a_reference():
    assert KeySupportSampler(2)(5, 2, rng()) == {"key": [2], "support": [1, 4]}


def test_unknown_modes_and_counts_name_their_key():
    with pytest.raises(ValueError, match="INPUT.VIDEO.SUPPORT_SAMPLING"):
        KeySupportSampler(2, "nearest")
    with pytest.raises(ValueError, match="INPUT.VIDEO.NUM_SUPPORT_FRAMES"):
        KeySupportSampler(0)
