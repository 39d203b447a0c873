"""Clips of the frames right before the key, scale jitter on one canvas, pseudo-videos, items through the model."""

import numpy as np
import pytest
import torch
from detectron2.utils.events import EventStorage

from tests.methods.hitf.clips import small_config, small_model
from tests.toy_ytvis import write_toy_ytvis
from vis_projects.data.registry import build_vis_mapper
from vis_projects.data.ytvis_json import load_ytvis_json
from vis_projects.methods.hitf.mapper import FitAugmentation, HITFMapper, PreviousFramesSampler


@pytest.fixture(scope="module")
def videos(tmp_path_factory):
    return load_ytvis_json(*write_toy_ytvis(tmp_path_factory.mktemp("toy"), videos=1, frames=6))


@pytest.mark.parametrize("key, expected", [(5, [1, 2, 3, 4, 5]), (2, [0, 0, 0, 1, 2]), (0, [0] * 5)])
def test_frames_of_a_clip_in_the_order_of_time(key, expected):
    by_role = PreviousFramesSampler(3, pair=True)(6, key, np.random.default_rng(0), valid=[0, 5])
    assert list(by_role) == ["reference", "previous", "key"]
    assert [t for frames in by_role.values() for t in frames] == expected


def test_without_pairs_a_clip_is_one_frame_shorter():
    assert PreviousFramesSampler(3, pair=False)(6, 4, np.random.default_rng(0)) == {"reference": [1, 2, 3], "key": [4]}
    with pytest.raises(ValueError, match="N_REF is 0"):
        PreviousFramesSampler(0, pair=True)


def test_the_mapper_is_built_by_name_and_gives_clips(videos):
    mapper = build_vis_mapper(small_config(), True)
    assert type(mapper) is HITFMapper
    item = mapper({**videos[0], "key_frame": 3, "rng_seed": 0})
    assert item["roles"] == ["reference", "reference", "previous", "key"] and item["frame_indices"] == [0, 1, 2, 3]


def augmentation(scales, size=100):
    made = FitAugmentation((size,), size)
    made.scales = scales
    return made


@pytest.mark.parametrize("scale, expected", [
    (1.0, (50, 100)), (0.5, (25, 50)),
    (1.5, (75, 100)),  # 75 x 150, cropped to the canvas of 100
    (2.5, (100, 100)),
])
def test_scale_jitter_is_a_factor_of_the_size_that_fits(scale, expected):
    drawn = augmentation((scale,)).draw(20, 40, 2, np.random.default_rng(0))
    image = drawn.apply_image(np.zeros((20, 40, 3), dtype=np.uint8), 0)
    assert image.shape[:2] == expected and drawn.crops == (scale > 1)


def test_image_and_mask_are_cut_alike():
    mask = np.zeros((20, 40), dtype=np.uint8)
    mask[5:15, 10:30] = 1
    for seed in range(5):
        drawn = augmentation((1.5,)).draw(20, 40, 1, np.random.default_rng(seed))
        image = drawn.apply_image(np.repeat(255 * mask[:, :, None], 3, axis=2), 0)
        assert np.mean((image[..., 0] > 127) != drawn.geometry.apply_segmentation(mask)) < 0.03


def test_all_scales_are_drawn_and_one_draw_serves_the_clip():
    made = augmentation((0.5, 1.0))
    drawn = [made.draw(20, 40, 5, np.random.default_rng(s)).geometry for s in range(20)]
    widths = {geometry.apply_segmentation(np.zeros((20, 40), np.uint8)).shape[1] for geometry in drawn}
    assert widths == {50, 100}


def test_wrong_scales_are_named():
    with pytest.raises(ValueError, match="SCALE_JITTER"):
        build_vis_mapper(small_config("MODEL.HITF.SCALE_JITTER", ()), True)


@pytest.mark.parametrize("pair", [True, False])
def test_a_still_image_becomes_a_clip_of_views(videos, pair):
    mapper = build_vis_mapper(small_config("MODEL.HITF.PM", pair, "MODEL.HITF.LOSS_FRAMES", "t"), True)
    record = {"file_name": videos[0]["file_names"][3], "image_id": 9, "height": 48, "width": 64,
              "annotations": videos[0]["annotations"][3]}
    item = mapper({**record, "rng_seed": 4})
    assert item["roles"][-1] == "key" and item["frame_indices"] == list(range(3 + pair))
    shared = set(item["instances"][0].gt_ids.tolist()) & set(item["instances"][-1].gt_ids.tolist())
    assert shared and not torch.equal(item["image"][0], item["image"][-1])


def test_clips_of_videos_and_of_still_images_train_together(videos):
    mapper, model = build_vis_mapper(small_config(), True), small_model().train()
    image = {"file_name": videos[0]["file_names"][3], "image_id": 9, "height": 48, "width": 64,
             "annotations": videos[0]["annotations"][3], "rng_seed": 4}
    with EventStorage():
        losses = model([mapper({**videos[0], "key_frame": 4, "rng_seed": 1}), mapper(image)])
    sum(losses.values()).backward()
    assert all(torch.isfinite(value) for value in losses.values())


def test_items_train_the_model_and_inference_items_run(videos):
    item = build_vis_mapper(small_config(), True)({**videos[0], "key_frame": 4, "rng_seed": 1})
    model = small_model()
    with EventStorage():
        losses = model.train()([item])
    sum(losses.values()).backward()
    assert all(torch.isfinite(value) for value in losses.values()) and losses["loss_mask"] > 0
    (results,) = model.eval()([build_vis_mapper(small_config(), False)(videos[0])])
    assert (results.length, results.height, results.width) == (6, 48, 64)
