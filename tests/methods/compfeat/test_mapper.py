"""The mapper gives four frames of a video, or four views of a still image."""

import numpy as np
import pytest
import torch
from detectron2.utils.events import EventStorage

from tests.methods.compfeat.clips import small_config, small_model
from tests.toy_ytvis import write_toy_ytvis
from vis_projects.data.registry import build_vis_mapper
from vis_projects.data.ytvis_json import load_ytvis_json
from vis_projects.methods.compfeat import CompFeatMapper

NO_MOTION = ("INPUT.VIDEO.PSEUDO.ROTATION_DEG", 0.0, "INPUT.VIDEO.PSEUDO.TRANSLATE_FRACTION", 0.0,
             "INPUT.VIDEO.PSEUDO.SHEAR_DEG", 0.0, "INPUT.VIDEO.PSEUDO.SCALE_RANGE", (1.0, 1.0))


@pytest.fixture(scope="module")
def videos(tmp_path_factory):
    return load_ytvis_json(*write_toy_ytvis(tmp_path_factory.mktemp("toy"), videos=1, frames=6))


@pytest.fixture(scope="module")
def image(videos):
    """The first frame as a still image of its own."""
    video = videos[0]
    annotations = [{k: v for k, v in a.items() if k != "id"} for a in video["annotations"][0]]
    return {"file_name": video["file_names"][0], "height": video["height"], "width": video["width"], "image_id": 3,
            "annotations": annotations}


def test_four_different_frames(videos):
    mapper = build_vis_mapper(small_config(), True)
    assert type(mapper) is CompFeatMapper
    for seed in range(20):
        item = mapper({**videos[0], "key_frame": 2, "rng_seed": seed})
        assert item["roles"] == ["key", "support", "support", "reference"]
        assert item["frame_indices"][0] == 2 and len(set(item["frame_indices"])) == 4
        sizes = {tuple(x.shape) for x in item["image"]}
        assert len(sizes) == 1  # one resize and flip for all


def test_a_short_video_repeats_frames(tmp_path):
    (video,) = load_ytvis_json(*write_toy_ytvis(tmp_path, videos=1, frames=2))
    item = build_vis_mapper(small_config(), True)({**video, "key_frame": 0, "rng_seed": 0})
    assert item["frame_indices"] == [0, 1, 1, 1]


def test_without_supports_it_gives_pairs(videos):
    item = build_vis_mapper(small_config("INPUT.VIDEO.NUM_SUPPORT_FRAMES", 0), True)(
        {**videos[0], "key_frame": 2, "rng_seed": 0})
    assert item["roles"] == ["key", "reference"]


def test_a_still_image_without_motion_is_four_equal_frames(image):
    item = build_vis_mapper(small_config(*NO_MOTION), True)({**image, "rng_seed": 0})
    assert item["roles"] == ["key", "support", "support", "reference"]
    for frame, truth in zip(item["image"][1:], item["instances"][1:]):
        assert torch.equal(frame, item["image"][0])
        assert torch.equal(truth.gt_ids, item["instances"][0].gt_ids) and len(truth) > 0
        # the key's boxes are the annotated ones, those of views come from the masks
        torch.testing.assert_close(truth.gt_boxes.tensor, item["instances"][1].gt_boxes.tensor)
        assert (truth.gt_boxes.tensor - item["instances"][0].gt_boxes.tensor).abs().max() <= 3  # a pixel, resized


def test_views_of_a_still_image_keep_ids_and_classes(image):
    mapper = build_vis_mapper(small_config(), True)
    moved = 0
    for seed in range(10):
        item = mapper({**image, "rng_seed": seed})
        key = item["instances"][0]
        classes = dict(zip(key.gt_ids.tolist(), key.gt_classes.tolist()))
        for truth in item["instances"][1:]:
            assert {i: classes[i] for i in truth.gt_ids.tolist()} == dict(
                zip(truth.gt_ids.tolist(), truth.gt_classes.tolist()))
        moved += not torch.equal(item["image"][1], item["image"][2])
    assert moved == 10  # each view is drawn on its own


def test_there_and_back_a_box_is_the_same(image):
    mapper = build_vis_mapper(small_config(), True)
    view = mapper.random_affine.draw(image["height"], image["width"], np.random.default_rng(0))
    corners = np.array([[10.0, 12.0], [40.0, 12.0], [40.0, 33.0], [10.0, 33.0]])
    back = view.inverse().apply_coords(view.apply_coords(corners))
    np.testing.assert_allclose(back, corners, atol=1e-9)


@pytest.mark.parametrize("source", ["video", "image", "both"])
def test_items_train_the_model(videos, image, source):
    mapper = build_vis_mapper(small_config(), True)
    items = {"video": mapper({**videos[0], "key_frame": 2, "rng_seed": 1}), "image": mapper({**image, "rng_seed": 1})}
    batch = list(items.values()) if source == "both" else [items[source]]
    with EventStorage():
        losses = small_model().train()(batch)
    sum(losses.values()).backward()
    assert all(torch.isfinite(value) for value in losses.values())
    assert losses["loss_track"] > 0 and losses["loss_map"] > 0


def test_inference_items_run_through_the_model(videos):
    item = build_vis_mapper(small_config(), False)(videos[0])
    (results,) = small_model().eval()([item])
    assert (results.length, results.video_id) == (6, videos[0]["video_id"])
    assert results.inference_mode == "offline, supports uniform_video"
