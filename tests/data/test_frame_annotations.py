"""frame_instances: rows, masks and boxes of a frame; empty frames and crowds first."""

import numpy as np
import pytest
import torch
from detectron2.data import transforms as T
from detectron2.structures import BoxMode

from tests.data.toy_json import SIZE, rle
from vis_projects.data.errors import DatasetError
from vis_projects.data.frame_annotations import frame_instances, valid_frames


def annotation(mask, bbox=(1, 1, 2, 1), **fields):
    return {"id": 4, "bbox": list(bbox), "bbox_mode": BoxMode.XYWH_ABS, "category_id": 2, "segmentation": mask,
            "iscrowd": 0, **fields}


SAME = T.NoOpTransform()


@pytest.mark.parametrize("annotations", [[], [annotation(rle((1, 1)), iscrowd=1)]], ids=["none", "crowd"])
@pytest.mark.parametrize("from_masks", [False, True])
def test_a_frame_without_objects_has_all_fields_and_no_row(annotations, from_masks):
    instances = frame_instances(annotations, T.ResizeTransform(4, 6, 8, 12), SIZE, boxes_from_masks=from_masks)
    assert instances.image_size == (8, 12) and len(instances) == 0
    assert tuple(instances.gt_boxes.tensor.shape) == (0, 4)
    assert tuple(instances.gt_masks.tensor.shape) == (0, 8, 12)
    assert instances.gt_classes.dtype == instances.gt_ids.dtype == torch.int64


def test_a_row_holds_box_class_mask_and_id():
    instances = frame_instances([annotation(rle((1, 1), (1, 2)))], SAME, SIZE)
    assert instances.gt_boxes.tensor.tolist() == [[1, 1, 3, 2]]
    assert instances.gt_boxes.tensor.dtype == torch.float32
    assert (instances.gt_classes.tolist(), instances.gt_ids.tolist()) == ([2], [4])
    assert instances.gt_masks.tensor.dtype == torch.bool
    assert instances.gt_masks.tensor[0].nonzero().tolist() == [[1, 1], [1, 2]]


def test_polygons_and_both_rle_kinds_give_the_same_mask():
    pixels = [(y, x) for y in (1, 2) for x in (1, 2, 3)]
    kinds = [rle(*pixels), rle(*pixels, plain=True), [[1, 1, 4, 1, 4, 3, 1, 3]]]
    masks = [frame_instances([annotation(kind, (1, 1, 3, 2))], SAME, SIZE).gt_masks.tensor for kind in kinds]
    assert masks[0].sum() == 6
    assert torch.equal(masks[0], masks[1]) and torch.equal(masks[0], masks[2])


def test_flip_and_resize_move_mask_and_box_together():
    steps = T.TransformList([T.ResizeTransform(4, 6, 8, 12), T.HFlipTransform(12)])
    for from_masks in (False, True):
        instances = frame_instances([annotation(rle((1, 1), (1, 2)))], steps, SIZE, boxes_from_masks=from_masks)
        # x 1..3 doubles to 2..6 and mirrors to 12 - 6 .. 12 - 2; y 1..2 doubles to 2..4
        assert instances.gt_boxes.tensor.tolist() == [[6, 2, 10, 4]]
        assert instances.gt_masks.tensor[0].sum() == 4 * 2
        assert instances.gt_masks.get_bounding_boxes().tensor.tolist() == [[6, 2, 10, 4]]


def test_an_object_outside_a_crop_has_no_row_and_others_are_cut():
    objects = [annotation(rle((0, 0)), (0, 0, 1, 1), id=1), annotation(rle((1, 1), (1, 2)), id=2)]
    instances = frame_instances(objects, T.CropTransform(2, 0, 3, 4), SIZE, boxes_from_masks=True)
    assert instances.gt_ids.tolist() == [2]
    assert instances.gt_boxes.tensor.tolist() == [[0, 1, 1, 2]]


def test_a_mask_without_a_pixel_has_no_row():
    assert len(frame_instances([annotation(rle())], SAME, SIZE)) == 0


def test_objects_that_are_mostly_cut_off_are_dropped_on_request():
    row = annotation(rle(*[(1, x) for x in range(5)]), (0, 1, 5, 1))
    crop = T.CropTransform(4, 0, 2, 4)  # one of five pixels is left
    assert len(frame_instances([row], crop, SIZE, boxes_from_masks=True, min_visible_fraction=1 / 5)) == 1
    assert len(frame_instances([row], crop, SIZE, boxes_from_masks=True, min_visible_fraction=0.21)) == 0
    grown = T.TransformList([crop, T.ResizeTransform(4, 2, 8, 4)])  # four times the area does not make up for it
    assert len(frame_instances([row], grown, SIZE, boxes_from_masks=True, min_visible_fraction=0.21)) == 0


def test_objects_with_few_pixels_are_dropped_on_request():
    row = annotation(rle(*[(1, x) for x in range(5)]), (0, 1, 5, 1))
    crop = T.CropTransform(2, 0, 4, 4)  # three of five pixels are left
    options = {"boxes_from_masks": True}
    assert [len(frame_instances([row], crop, SIZE, min_visible_pixels=n, **options)) for n in (0, 3, 4)] == [1, 1, 0]
    assert len(frame_instances([row], SAME, SIZE, min_visible_pixels=9)) == 1  # small, but all of it is there


def test_boxes_are_clipped_to_the_frame():
    instances = frame_instances([annotation(rle((3, 5)), (4, 2, 9, 9))], SAME, SIZE)
    assert instances.gt_boxes.tensor.tolist() == [[4, 2, 6, 4]]


def test_box_only_and_wrongly_sized_annotations_are_named():
    with pytest.raises(DatasetError, match="annotation 4 .*no segmentation"):
        frame_instances([annotation(None)], SAME, SIZE)
    with pytest.raises(DatasetError, match=r"annotation 4 .*\[4, 6\], its frame has \[5, 6\]"):
        frame_instances([annotation(rle((0, 0)))], SAME, (5, 6))


def test_valid_frames_hold_an_object_that_is_no_crowd():
    crowd, plain = annotation(rle((0, 0)), iscrowd=1), annotation(rle((0, 0)))
    assert valid_frames([]) == []
    assert valid_frames([[], [crowd], [crowd, plain], [plain]]) == [2, 3]
    assert np.all([isinstance(t, int) for t in valid_frames([[plain]])])
