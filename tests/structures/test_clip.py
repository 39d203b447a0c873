"""Clip: order of rows, normalisation, padding, roles and the empty cases."""

import pytest
import torch
from detectron2.structures import Boxes, Instances

from vis_projects.structures import Clip

MEAN, STD = torch.tensor([10.0, 20.0, 30.0]).view(3, 1, 1), torch.tensor([1.0, 2.0, 4.0]).view(3, 1, 1)


def item(video_id, value, size=(4, 6), roles=("key", "reference"), truth=True):
    frames = [torch.full((3, *size), value + t, dtype=torch.uint8) for t in range(len(roles))]
    entry = {"image": frames, "roles": list(roles), "frame_indices": list(range(len(roles))), "video_id": video_id}
    if truth:
        entry["instances"] = []
        for t in range(len(roles)):
            instances = Instances(size)
            instances.gt_boxes = Boxes(torch.zeros(t, 4))
            instances.gt_ids = torch.full((t,), video_id, dtype=torch.int64)
            entry["instances"].append(instances)
    return entry


def test_clip_without_instances_has_images_and_no_truth():
    clip = Clip.from_batch([item(1, 40, truth=False)], "cpu", MEAN, STD)
    assert clip.instances is None
    with pytest.raises(ValueError, match="without ground truth"):
        clip.instances_of("key")


def test_empty_batch_is_refused():
    with pytest.raises(ValueError, match="empty"):
        Clip.from_batch([], "cpu", MEAN, STD)


def test_rows_are_video_major_and_normalised():
    clip = Clip.from_batch([item(5, 40), item(9, 50)], "cpu", MEAN, STD)
    assert (clip.num_videos, clip.num_frames) == (2, 2)
    # channel 1 of row b * T + t is (value - 20) / 2 with the values 40, 41, 50, 51
    assert clip.images.tensor[:, 1, 0, 0].tolist() == [20 / 2, 21 / 2, 30 / 2, 31 / 2]
    assert clip.rows("key").tolist() == [0, 2]
    assert clip.rows("reference").tolist() == [1, 3]
    assert [len(x) for x in clip.instances_of("reference")] == [1, 1]
    assert [x.gt_ids.tolist() for x in clip.instances_of("reference")] == [[5], [9]]


def test_a_role_that_occurs_twice_keeps_video_major_order():
    roles = ("key", "support", "support")
    clip = Clip.from_batch([item(1, 40, roles=roles), item(2, 60, roles=roles)], "cpu", MEAN, STD)
    assert clip.rows("support").tolist() == [1, 2, 4, 5]
    assert [len(x) for x in clip.instances_of("support")] == [1, 2, 1, 2]
    assert clip.rows("reference").tolist() == []
    assert clip.rows("reference").dtype == torch.int64


def test_clips_of_different_size_are_padded_together():
    clip = Clip.from_batch([item(1, 40, size=(4, 6)), item(2, 40, size=(5, 3))], "cpu", MEAN, STD, size_divisibility=4)
    # the largest height 5 and width 6, both rounded up to a multiple of 4
    assert tuple(clip.images.tensor.shape) == (4, 3, 8, 8)
    assert clip.images.image_sizes == [(4, 6), (4, 6), (5, 3), (5, 3)]
    assert clip.images.tensor[0, :, 4:].abs().sum() == 0


def test_different_roles_are_refused_with_both_videos_named():
    with pytest.raises(ValueError, match="video 1 .*video 2"):
        Clip.from_batch([item(1, 40), item(2, 40, roles=("key", "support"))], "cpu", MEAN, STD)


def test_truth_in_only_some_clips_is_refused():
    with pytest.raises(ValueError, match="some"):
        Clip.from_batch([item(1, 40), item(2, 40, truth=False)], "cpu", MEAN, STD)
