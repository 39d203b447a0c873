"""Pairs of near frames in the order of time."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.methods.stmask.models import small_config
from vis_projects.data.registry import VIS_MAPPER_REGISTRY
from vis_projects.methods.stmask import STMaskMapper
from vis_projects.methods.stmask.mapper import OrderedPairSampler


@given(st.integers(1, 30), st.data())
@settings(max_examples=60, deadline=None)
def test_frames_are_near_in_order_and_one_is_the_key(length, data):
    key, gap = data.draw(st.integers(0, length - 1)), data.draw(st.integers(0, 4))
    valid = data.draw(st.lists(st.integers(0, length - 1), unique=True))
    clip = OrderedPairSampler(gap)(length, key, np.random.default_rng(data.draw(st.integers(0, 99))), valid)
    assert list(clip) == ["earlier", "later"]
    (earlier,), (later,) = clip["earlier"], clip["later"]
    assert earlier <= later and key in (earlier, later)
    other = earlier + later - key
    allowed = [t for t in valid if t != key and (gap == 0 or abs(t - key) <= gap)]
    assert other in allowed if allowed else other == key


def test_both_neighbours_are_drawn_alike():
    rng, seen = np.random.default_rng(0), []
    for _ in range(400):
        clip = OrderedPairSampler(2)(9, 4, rng)
        seen.append(clip["earlier"][0] + clip["later"][0] - 4)
    counts = {t: seen.count(t) for t in range(9)}
    assert {t for t, count in counts.items() if count} == {2, 3, 5, 6} and min(counts[t] for t in (2, 3, 5, 6)) > 70


def test_a_video_of_one_frame_gives_it_twice():
    assert OrderedPairSampler(2)(1, 0, np.random.default_rng(0)) == {"earlier": [0], "later": [0]}


def test_the_mapper_is_registered_and_reads_the_gap():
    assert VIS_MAPPER_REGISTRY.get("STMaskMapper") is STMaskMapper
    assert STMaskMapper.build_frame_sampler(small_config()).max_gap_frames == 2
