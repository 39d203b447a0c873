"""Who answers for what, on the two boxes of the fact sheet's vector 8.5 and on hand-made corners."""

import pytest
import torch
from detectron2.structures import Boxes, Instances

from vis_projects.modeling.fcos import fcos_targets, level_locations, mask_centers

STRIDES = (8, 16, 32, 64, 128)
SIZES = ((8, 12), (4, 6), (2, 3), (1, 2), (1, 1))  # of a 64 x 96 image
BACKGROUND = 3


def locations():
    return [level_locations(size, stride) for size, stride in zip(SIZES, STRIDES)]


def image(*boxes_and_classes) -> Instances:
    boxes = torch.tensor([box for box, _ in boxes_and_classes], dtype=torch.float32).reshape(-1, 4)
    return Instances((64, 96), gt_boxes=Boxes(boxes),
                     gt_classes=torch.tensor([c for _, c in boxes_and_classes], dtype=torch.int64))


def two_objects() -> tuple[Instances, torch.Tensor]:
    masks = torch.zeros(2, 64, 96)
    masks[0, 8:40, 8:24] = 1  # the left half of its box
    masks[1, 10:60, 30:90] = 1
    return image(((8, 8, 40, 40), 1), ((30, 10, 90, 60), 2)), masks


def points_of(targets, label):
    return {tuple(p) for p in targets.locations[targets.labels == label].int().tolist()}


def test_locations_are_the_middles_of_the_cells():
    assert level_locations((2, 3), 8).tolist() == [[4, 4], [12, 4], [20, 4], [4, 12], [12, 12], [20, 12]]
    assert level_locations((0, 3), 8).shape == (0, 2)


def test_without_objects_all_is_background():
    targets = fcos_targets(locations(), STRIDES, [image(), image()], BACKGROUND)
    assert (targets.labels == BACKGROUND).all() and (targets.gt_index == -1).all() and len(targets.positives) == 0
    # 96 + 24 + 6 + 2 + 1 = 129 locations an image
    assert len(targets.labels) == 258 and targets.centerness(targets.positives).shape == (0,)


def test_centre_of_mass():
    masks = torch.zeros(2, 4, 6)
    masks[0, 1:3, 2:6] = 1  # columns 2..5, mean 3.5; rows 1, 2, mean 1.5
    centers = mask_centers(masks)
    assert centers[0].tolist() == [3.5, 1.5] and centers[1].isnan().all()
    assert mask_centers(torch.zeros(0, 4, 6)).shape == (0, 2)


def test_centre_sampling_around_the_mass_of_the_mask():
    objects, masks = two_objects()
    assert mask_centers(masks)[0].tolist() == [15.5, 23.5]
    targets = fcos_targets(locations(), STRIDES, [objects], BACKGROUND, centers=[mask_centers(masks)])
    assert (targets.level[targets.positives] == 0).all()
    assert points_of(targets, 1) == {(x, y) for x in (12, 20) for y in (12, 20, 28)}
    assert points_of(targets, 2) == {(x, y) for x in (52, 60, 68) for y in (28, 36, 44)}
    row = targets.locations.tolist().index([12, 12])
    # (12 - 8) / 8 left and top, (40 - 12) / 8 right and bottom
    assert targets.ltrb[row].tolist() == [0.5, 0.5, 3.5, 3.5] and targets.gt_index[row] == 0
    row = targets.locations.tolist().index([60, 36])
    assert targets.ltrb[row].tolist() == [3.75, 3.25, 3.75, 3.0] and targets.gt_index[row] == 1


def test_box_centres_without_masks():
    objects, _ = two_objects()
    # A's centre (24, 24): x, y in {20, 28} -> 4 locations, and 9 of B
    assert len(fcos_targets(locations(), STRIDES, [objects], BACKGROUND).positives) == 13


def test_an_object_without_centre_has_no_location_and_leaves_the_others_alone():
    objects, masks = two_objects()
    masks[0] = 0
    targets = fcos_targets(locations(), STRIDES, [objects], BACKGROUND, centers=[mask_centers(masks)])
    assert points_of(targets, 1) == set() and len(points_of(targets, 2)) == 9


def test_the_smaller_box_wins_and_the_first_of_equal_ones():
    large, small = ((0, 0, 60, 60), 0), ((20, 20, 44, 44), 1)
    targets = fcos_targets(locations(), STRIDES, [image(large, small)], BACKGROUND)
    assert set(targets.gt_index[targets.positives].tolist()) == {0, 1}
    assert targets.labels[targets.locations.tolist().index([28, 28])] == 1
    targets = fcos_targets(locations(), STRIDES, [image(small, small)], BACKGROUND)
    assert set(targets.gt_index[targets.positives].tolist()) == {0}


@pytest.mark.parametrize(("reach", "level"), [(64, 0), (64.5, 1), (128, 1), (129, 2)])
def test_level_ranges_include_both_ends(reach, level):
    # one location at (4, 4) on every level; the largest distance, to the right, is `reach`
    points = [torch.tensor([[4.0, 4.0]])] * 5
    box = ((0, 0, 4 + reach, 8), 0)
    targets = fcos_targets(points, STRIDES, [image(box)], BACKGROUND, centers=[torch.tensor([[4.0, 4.0]])])
    levels = targets.level[targets.positives].tolist()
    assert level in levels and all(abs(k - level) <= 1 for k in levels)
    assert levels == ([0, 1] if reach == 64 else [1, 2] if reach == 128 else [level])


def test_rows_are_level_major_and_indices_run_over_the_batch():
    first, masks = two_objects()
    second = image(((30, 10, 90, 60), 0))
    targets = fcos_targets(locations(), STRIDES, [first, second], BACKGROUND)
    assert targets.level[: 2 * 96].tolist() == [0] * 192 and targets.image_index[:192].tolist() == [0] * 96 + [1] * 96
    of_second = targets.image_index[targets.positives] == 1
    assert (targets.gt_index[targets.positives][of_second] == 2).all() and of_second.sum() == 9
    assert torch.equal(targets.locations[:96], targets.locations[96:192])


def test_centerness_by_hand():
    targets = fcos_targets(locations(), STRIDES, [two_objects()[0]], BACKGROUND)
    row = torch.tensor([targets.locations.tolist().index([60, 36])])
    # l = r = 3.75; t = 3.25, b = 3: sqrt(1 * 3 / 3.25) = sqrt(12 / 13)
    assert targets.centerness(row).item() == pytest.approx((12 / 13) ** 0.5)


def test_one_stride_and_range_for_each_level():
    with pytest.raises(ValueError, match="5 levels, 4 strides and 5 ranges"):
        fcos_targets(locations(), STRIDES[:4], [image()], BACKGROUND)
