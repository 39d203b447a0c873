"""KeyReferenceSampler: one-frame videos first, then windows, valid frames and uniformity."""

from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vis_projects.data.frame_sampler import KeyReferenceSampler, KeySampler


def rng(seed=0):
    return np.random.default_rng(seed)


@pytest.mark.parametrize("valid", [None, [0], []])
def test_a_one_frame_video_refers_to_itself(valid):
    assert KeyReferenceSampler()(1, 0, rng(), valid) == {"key": [0], "reference": [0]}


def test_no_other_valid_frame_falls_back_to_the_key():
    assert KeyReferenceSampler()(5, 2, rng(), [2]) == {"key": [2], "reference": [2]}
    assert KeyReferenceSampler(max_gap_frames=1)(9, 2, rng(), [2, 8]) == {"key": [2], "reference": [2]}


def test_references_are_uniform_over_the_other_valid_frames():
    generator = rng()
    counts = Counter(KeyReferenceSampler()(9, 4, generator, [1, 4, 6, 8])["reference"][0] for _ in range(3000))
    assert set(counts) == {1, 6, 8}
    # 3000 / 3 = 1000 each, standard deviation sqrt(3000 * 1/3 * 2/3) = 26
    assert all(abs(count - 1000) < 5 * 26 for count in counts.values())


@given(st.integers(1, 40), st.data(), st.integers(-1, 5), st.integers(0, 99))
def test_references_stay_in_the_window_and_are_not_the_key(length, data, gap, seed):
    key = data.draw(st.integers(0, length - 1))
    reference = KeyReferenceSampler(gap)(length, key, rng(seed))["reference"][0]
    assert 0 <= reference < length
    assert (reference != key) == (length > 1)
    assert gap <= 0 or abs(reference - key) <= gap


def test_same_generator_state_same_frames():
    assert KeyReferenceSampler()(30, 3, rng(5)) == KeyReferenceSampler()(30, 3, rng(5))


def test_the_key_frame_alone():
    rng = np.random.default_rng(0)
    assert KeySampler()(1, 0, rng) == {"key": [0]}
    assert KeySampler()(9, 4, rng, valid=[1, 2]) == {"key": [4]}
