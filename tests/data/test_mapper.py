"""VideoDatasetMapper: one-frame videos and empty frames first, then clips, views of images and test items."""

import copy

import numpy as np
import pytest
import torch
from tests.toy_ytvis import write_toy_ytvis

from tests.data.toy_cfg import toy_cfg
from vis_projects.data.clip_transform import ClipAugmentation
from vis_projects.data.errors import DatasetError
from vis_projects.data.frame_sampler import KeyReferenceSampler
from vis_projects.data.frame_transform import FrameTransform
from vis_projects.data.lazy_frames import LazyFrames
from vis_projects.data.mapper import VideoDatasetMapper
from vis_projects.data.pseudo_video import RandomAffine
from vis_projects.data.support_sampler import KeySupportSampler
from vis_projects.data.ytvis_json import load_ytvis_json


def mapper(is_train=True, sampler=None, affine=(0, 0, 0, (1, 1)), **augmentation):
    augmentation = {"min_sizes": (24,), "max_size": 100, "flip": "none", **augmentation}
    return VideoDatasetMapper(
        is_train,
        frame_sampler=sampler or KeyReferenceSampler(),
        augmentation=ClipAugmentation(**augmentation),
        frame_transform=FrameTransform(24, 100),
        random_affine=RandomAffine(*affine),
    )


@pytest.fixture
def videos(tmp_path):
    return load_ytvis_json(*write_toy_ytvis(tmp_path, videos=1, frames=4))


def item(video, key=1, seed=0, **fields):
    return {**video, "key_frame": key, "rng_seed": [seed, 0], **fields}


def image_record(video, t=1):
    return {"file_name": video["file_names"][t], "height": 48, "width": 64, "image_id": 5, "rng_seed": [3, 0],
            "annotations": [{k: v for k, v in a.items() if k != "id"} for a in video["annotations"][t]]}


def test_a_one_frame_video_is_its_own_reference(tmp_path):
    video = load_ytvis_json(*write_toy_ytvis(tmp_path, videos=1, frames=1))[0]
    clip = mapper()(item(video, key=0))
    assert clip["frame_indices"] == [0, 0] and clip["roles"] == ["key", "reference"]
    assert torch.equal(clip["image"][0], clip["image"][1])
    assert clip["instances"][0].gt_ids.tolist() == clip["instances"][1].gt_ids.tolist() == [1, 2, 3]


def test_a_frame_without_objects_has_no_row(videos):
    videos[0]["annotations"][2] = []
    clip = mapper(sampler=lambda length, key, rng, valid: {"key": [key], "support": [2]})(item(videos[0]))
    assert [len(frame) for frame in clip["instances"]] == [3, 0]
    assert tuple(clip["instances"][1].gt_masks.tensor.shape) == (0, 24, 32)


def test_a_clip_has_the_promised_fields(videos):
    before = copy.deepcopy(videos[0])
    clip = mapper()(item(videos[0]))
    assert videos[0] == before
    assert set(clip) == {"image", "instances", "roles", "frame_indices", "video_id", "height", "width"}
    assert (clip["height"], clip["width"], clip["video_id"]) == (48, 64, 1)
    for image, instances in zip(clip["image"], clip["instances"]):
        assert image.dtype == torch.uint8 and tuple(image.shape) == (3, 24, 32)
        assert instances.image_size == (24, 32)
        assert set(instances.get_fields()) == {"gt_boxes", "gt_classes", "gt_masks", "gt_ids", "gt_identities"}


def test_ids_link_frames_and_absent_objects_have_no_row(videos):
    # the toy's third object is absent in frame 0
    clip = mapper(sampler=lambda length, key, rng, valid: {"key": [key], "reference": [0]})(item(videos[0]))
    assert [frame.gt_ids.tolist() for frame in clip["instances"]] == [[1, 2, 3], [1, 2]]
    assert [frame.gt_classes.tolist() for frame in clip["instances"]] == [[0, 1, 2], [0, 1]]


def test_masks_and_boxes_fit_the_pixels(videos):
    for seed in range(6):
        clip = mapper(flip="horizontal", min_sizes=(48, 96), max_size=500)(item(videos[0], seed=seed))
        for image, instances in zip(clip["image"], clip["instances"]):
            background = ~instances.gt_masks.tensor.any(0)
            for box, mask in zip(instances.gt_boxes.tensor, instances.gt_masks.tensor):
                ys, xs = mask.nonzero().unbind(1)
                around = [xs.min(), ys.min(), xs.max() + 1, ys.max() + 1]
                assert torch.allclose(box, torch.stack([v.float() for v in around]), atol=1.5)
                # objects are painted with values of 80 and more on a background below 40
                assert image[:, mask].float().mean() > image[:, background].float().mean() + 40


def test_the_same_seed_gives_the_same_clip_and_leaves_global_state_alone(videos):
    options = {"flip": "horizontal", "min_sizes": (24, 30, 36), "color_jitter": True, "per_frame_jitter": True}
    state = np.random.get_state()[1].copy()
    first, second = (mapper(**options)(item(videos[0], seed=11)) for _ in range(2))
    assert first["frame_indices"] == second["frame_indices"]
    assert all(torch.equal(a, b) for a, b in zip(first["image"], second["image"]))
    assert np.array_equal(np.random.get_state()[1], state)
    others = [mapper(**options)(item(videos[0], seed=s)) for s in range(12)]
    assert len({(tuple(c["image"][0].shape), tuple(c["frame_indices"])) for c in others}) > 2


def test_without_a_seed_numpy_global_state_decides(videos):
    record = {key: value for key, value in item(videos[0]).items() if key != "rng_seed"}
    drawn = []
    for _ in range(2):
        np.random.seed(5)
        drawn.append([mapper()(record)["frame_indices"] for _ in range(5)])
    assert drawn[0] == drawn[1]


def test_supports_and_reference_come_in_the_order_of_the_sampler(videos):
    clip = mapper(sampler=KeySupportSampler(2, with_reference=True))(item(videos[0], key=3))
    assert clip["roles"] == ["key", "support", "support", "reference"]
    assert len(clip["image"]) == len(clip["instances"]) == len(clip["frame_indices"]) == 4


def test_cropped_boxes_are_those_of_the_masks(videos):
    clip = mapper(min_sizes=(0,), crop=("relative", (0.6, 0.6)))(item(videos[0], seed=2))
    for instances in clip["instances"]:
        assert torch.equal(instances.gt_boxes.tensor, instances.gt_masks.get_bounding_boxes().tensor)


def test_an_image_becomes_a_clip_of_equal_views_when_nothing_moves(videos):
    record = image_record(videos[0])
    clip = mapper(sampler=KeySupportSampler(3))(record)
    assert clip["frame_indices"] == [0, 1, 2, 3] and clip["video_id"] == 5
    for image, instances in zip(clip["image"][1:], clip["instances"][1:]):
        assert torch.equal(image, clip["image"][0])
        assert instances.gt_ids.tolist() == clip["instances"][0].gt_ids.tolist() == [0, 1, 2]
        assert torch.equal(instances.gt_masks.tensor, clip["instances"][0].gt_masks.tensor)
    assert "id" not in record["annotations"][0]


def test_views_of_an_image_move_pixels_masks_and_boxes_together(videos):
    views = mapper(affine=(15, 0.1, 10, (0.9, 1.1)), min_sizes=(0,), sampler=KeySupportSampler(3))
    clip = views(image_record(videos[0]))
    assert not torch.equal(clip["image"][0], clip["image"][1])
    assert not torch.equal(clip["image"][1], clip["image"][2])
    ids = set(clip["instances"][0].gt_ids.tolist())
    for image, instances in zip(clip["image"], clip["instances"]):
        assert set(instances.gt_ids.tolist()) <= ids
        background = ~instances.gt_masks.tensor.any(0)
        for mask in instances.gt_masks.tensor:
            assert image[:, mask].float().mean() > image[:, background].float().mean() + 40
    moved = clip["instances"][1]
    assert torch.equal(moved.gt_boxes.tensor, moved.gt_masks.get_bounding_boxes().tensor)


def test_a_test_item_is_the_whole_video_undecoded(videos):
    result = mapper(is_train=False)(videos[0])
    assert set(result) == {"image", "video_id", "height", "width", "length", "file_names"}
    assert isinstance(result["image"], LazyFrames) and len(result["image"]) == result["length"] == 4
    assert (result["height"], result["width"]) == (48, 64)
    assert tuple(result["image"][0].shape) == (3, 24, 32)


def test_missing_and_cut_off_frames_name_file_and_remedy(videos):
    names = videos[0]["file_names"]
    with open(names[1], "r+b") as file:
        file.truncate(300)
    with pytest.raises(DatasetError, match="video 1: .*00001.jpg cannot be decoded.*Remedy"):
        mapper()(item(videos[0], key=1))
    names[2] += ".gone"
    with pytest.raises(DatasetError, match="video 1: .*00002.jpg.gone does not exist.*Remedy"):
        mapper()(item(videos[0], key=2))
    with pytest.raises(DatasetError, match="00002.jpg.gone"):
        mapper(is_train=False)(videos[0])["image"][2]


def test_a_video_without_annotations_cannot_be_trained_on(videos):
    del videos[0]["annotations"]
    with pytest.raises(DatasetError, match="video 1 .*DATASETS.TRAIN"):
        mapper()(item(videos[0]))


def test_the_cfg_picks_the_frame_sampler():
    cfg = toy_cfg()
    cfg.INPUT.VIDEO.REF_FRAME_RANGE = 3
    reference = VideoDatasetMapper(cfg, True).frame_sampler
    assert isinstance(reference, KeyReferenceSampler) and reference.max_gap_frames == 3
    cfg.INPUT.VIDEO.NUM_SUPPORT_FRAMES, cfg.INPUT.VIDEO.SUPPORT_SAMPLING = 4, "uniform_past"
    support = VideoDatasetMapper(cfg, True).frame_sampler
    assert isinstance(support, KeySupportSampler) and (support.num_supports, support.mode) == (4, "uniform_past")
