"""Which three frames make a training clip."""

import numpy as np
import pytest
from detectron2.data import DatasetCatalog, MetadataCatalog
from hypothesis import given
from hypothesis import strategies as st

from tests.methods.osmn.clips import small_config
from tests.toy_ytvis import write_toy_ytvis
from vis_projects import register_ytvis
from vis_projects.data.registry import VIS_MAPPER_REGISTRY
from vis_projects.methods.osmn import GuidePreviousSampler

NAME = "toy_for_osmn_mapper"


def draw(length, key, valid=None, gap=0, seed=0):
    return GuidePreviousSampler(gap)(length, key, np.random.default_rng(seed), valid=valid)


def test_a_video_of_one_frame_shows_it_three_times():
    assert draw(1, 0) == {"key": [0], "previous": [0], "guide": [0]}
    assert draw(5, 2, valid=[2]) == {"key": [2], "previous": [2], "guide": [2]}


def test_the_frame_before_else_the_one_after():
    assert draw(6, 3)["previous"] == [2]
    assert draw(6, 0)["previous"] == [1]
    assert draw(6, 4, valid=[0, 1, 4, 5])["previous"] == [1]  # frames 2 and 3 show nothing


@given(st.integers(1, 12), st.data())
def test_frames_are_allowed_and_the_guide_is_another_one(length, data):
    valid = sorted(data.draw(st.sets(st.integers(0, length - 1), min_size=1)))
    key, gap = data.draw(st.sampled_from(valid)), data.draw(st.integers(0, 4))
    drawn = draw(length, key, valid, gap, seed=data.draw(st.integers(0, 99)))
    assert list(drawn) == ["key", "previous", "guide"]
    (guide,), (previous,) = drawn["guide"], drawn["previous"]
    near = [t for t in valid if t != key and (gap <= 0 or abs(t - key) <= gap)]
    assert guide in (near or [key]) and previous in valid
    assert not [t for t in valid if previous < t < key] and (previous != key or valid == [key])


def test_every_other_frame_can_be_the_guide():
    assert {draw(4, 1, seed=seed)["guide"][0] for seed in range(50)} == {0, 2, 3}


def test_the_config_names_the_mapper(tmp_path):
    register_ytvis(NAME, *write_toy_ytvis(tmp_path, videos=1, frames=3))
    try:
        record = {**DatasetCatalog.get(NAME)[0], "key_frame": 1}
        cfg = small_config()
        item = VIS_MAPPER_REGISTRY.get(cfg.MODEL.VIS.MAPPER)(cfg, True)(record)
    finally:
        DatasetCatalog.remove(NAME)
        MetadataCatalog.remove(NAME)
    assert item["roles"] == ["key", "previous", "guide"] and item["frame_indices"][:2] == [1, 0]
    assert [len(frame) for frame in item["instances"]][:2] == [3, 2]
    assert item["frame_indices"][2] in (0, 2)


@pytest.mark.parametrize("gap", [1, 2])
def test_the_range_of_the_guide_is_a_key(gap):
    cfg = small_config("INPUT.VIDEO.REF_FRAME_RANGE", gap)
    assert VIS_MAPPER_REGISTRY.get("OSMNMapper").build_frame_sampler(cfg).max_gap_frames == gap
