"""The mapper gives pairs of frames that the model trains on, and whole videos for inference."""

import pytest
import torch
from detectron2.utils.events import EventStorage

from tests.methods.masktrack_rcnn.pairs import small_config, small_model
from tests.toy_ytvis import write_toy_ytvis
from vis_projects.data.registry import build_vis_mapper
from vis_projects.data.ytvis_json import load_ytvis_json
from vis_projects.methods.masktrack_rcnn import MaskTrackRCNNMapper


@pytest.fixture(scope="module")
def videos(tmp_path_factory):
    return load_ytvis_json(*write_toy_ytvis(tmp_path_factory.mktemp("toy"), videos=1, frames=4))


def test_it_is_built_by_name():
    assert type(build_vis_mapper(small_config(), True)) is MaskTrackRCNNMapper


@pytest.mark.parametrize("reach, allowed", [(0, {0, 2, 3}), (1, {0, 2})])
def test_reference_is_another_frame_within_reach(videos, reach, allowed):
    mapper = build_vis_mapper(small_config("INPUT.VIDEO.REF_FRAME_RANGE", reach), True)
    seen = set()
    for seed in range(30):
        item = mapper({**videos[0], "key_frame": 1, "rng_seed": seed})
        assert item["roles"] == ["key", "reference"] and item["frame_indices"][0] == 1
        seen.add(item["frame_indices"][1])
    assert seen == allowed


def test_one_frame_video_refers_to_itself(tmp_path):
    (video,) = load_ytvis_json(*write_toy_ytvis(tmp_path, videos=1, frames=1))
    item = build_vis_mapper(small_config(), True)({**video, "key_frame": 0, "rng_seed": 0})
    assert item["frame_indices"] == [0, 0]
    assert torch.equal(item["instances"][0].gt_ids, item["instances"][1].gt_ids)


def test_items_train_the_model(videos):
    mapper = build_vis_mapper(small_config(), True)
    with EventStorage():
        losses = small_model().train()([mapper({**videos[0], "key_frame": 2, "rng_seed": 1})])
    sum(losses.values()).backward()
    assert all(torch.isfinite(value) for value in losses.values()) and losses["loss_track"] > 0


def test_inference_items_run_through_the_model(videos):
    item = build_vis_mapper(small_config(), False)(videos[0])
    (results,) = small_model().eval()([item])
    assert (results.length, results.height, results.width) == (4, 48, 64)
    assert results.video_id == videos[0]["video_id"]
