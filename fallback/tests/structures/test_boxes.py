"""Boxes and BoxMode against numbers worked out by hand."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from detectron2.structures import BoxMode, Boxes, pairwise_ioa, pairwise_iou, pairwise_point_box_distance
from detectron2.structures.boxes import matched_pairwise_iou, pairwise_intersection

XYXY, XYWH, XYWHA = BoxMode.XYXY_ABS, BoxMode.XYWH_ABS, BoxMode.XYWHA_ABS


@pytest.fixture
def two():
    return Boxes(torch.tensor([[0.0, 0, 10, 10], [5, 5, 20, 25]]))


class TestBoxMode:
    def test_list_tuple_array_tensor_keep_their_type(self):
        assert BoxMode.convert([1, 2, 3, 4], XYWH, XYXY) == [1, 2, 4, 6]
        assert BoxMode.convert((1.5, 2.0, 3.0, 4.0), XYXY, XYWH) == (1.5, 2.0, 1.5, 2.0)
        array = BoxMode.convert(np.array([[1, 2, 3, 4]]), XYWH, XYXY)
        assert array.dtype == np.int64 and array.tolist() == [[1, 2, 4, 6]]
        tensor = BoxMode.convert(torch.tensor([[1, 2, 3, 4]], dtype=torch.float64), XYWH, XYXY)
        assert tensor.dtype == torch.float64 and tensor.tolist() == [[1, 2, 4, 6]]

    def test_input_is_not_modified(self):
        box = np.array([[1.0, 2, 3, 4]])
        BoxMode.convert(box, XYWH, XYXY)
        assert box.tolist() == [[1, 2, 3, 4]]

    def test_no_boxes(self):
        assert BoxMode.convert(np.zeros((0, 4)), XYWH, XYXY).shape == (0, 4)

    def test_rotated(self):
        # 4 x 6 around (10, 10), turned by 90 degrees: 6 wide and 4 high.
        upright = BoxMode.convert([10.0, 10.0, 4.0, 6.0, 90.0], XYWHA, XYXY)
        assert upright == pytest.approx([7, 8, 13, 12])
        assert BoxMode.convert([1.0, 2, 3, 4], XYWH, XYWHA) == [2.5, 4.0, 3.0, 4.0, 0.0]

    @pytest.mark.parametrize("box", [[1, 2, 3], [1, 2, 3, 4, 5, 6], [[1, 2, 3, 4]]], ids=["three", "six", "nested"])
    def test_wrong_number_of_coordinates(self, box):
        with pytest.raises(AssertionError):
            BoxMode.convert(box, XYWH, XYXY)

    def test_unsupported_modes(self):
        with pytest.raises(AssertionError):
            BoxMode.convert([1, 2, 3, 4], BoxMode.XYWH_REL, XYXY)
        with pytest.raises(AssertionError):
            BoxMode.convert([1, 2, 3, 4], XYWH, BoxMode.XYXY_REL)
        with pytest.raises(NotImplementedError):
            BoxMode.convert([1, 2, 3, 4], XYXY, XYWHA)

    def test_members_are_ints(self):
        assert [int(mode) for mode in BoxMode] == [0, 1, 2, 3, 4]
        assert BoxMode(1) is XYWH


class TestBoxes:
    def test_empty_input_has_four_columns(self):
        for nothing in ([], torch.zeros(0), torch.zeros(0, 5)):
            assert Boxes(nothing).tensor.shape == (0, 4)
        assert len(Boxes.cat([])) == 0

    def test_becomes_float32(self):
        for box in ([[1, 2, 3, 4]], np.array([[1, 2, 3, 4]]), torch.tensor([[1, 2, 3, 4]], dtype=torch.float64)):
            assert Boxes(box).tensor.dtype == torch.float32

    @pytest.mark.parametrize("shape", [(4,), (2, 5), (1, 2, 4)])
    def test_wrong_shape(self, shape):
        with pytest.raises(AssertionError):
            Boxes(torch.zeros(shape))

    def test_area_centers_repr(self, two):
        assert two.area().tolist() == [100, 300]
        assert two.get_centers().tolist() == [[5, 5], [12.5, 15]]
        assert repr(two).startswith("Boxes(tensor([[")

    def test_clip_makes_a_new_tensor(self, two):
        before = two.tensor
        assert two.clip((8, 9)) is None
        assert two.tensor.tolist() == [[0, 0, 9, 8], [5, 5, 9, 8]]
        assert before.tolist()[0] == [0, 0, 10, 10]

    @pytest.mark.parametrize("bad", [float("nan"), float("inf")])
    def test_clip_refuses_what_is_not_finite(self, bad):
        with pytest.raises(AssertionError):
            Boxes(torch.tensor([[0, 0, bad, 1]])).clip((5, 5))

    def test_nonempty_is_strict(self, two):
        assert two.nonempty().tolist() == [True, True]
        assert two.nonempty(10).tolist() == [False, True]
        assert Boxes(torch.tensor([[1.0, 1, 1, 5]])).nonempty().tolist() == [False]

    def test_inside_box_is_strict_on_the_far_side(self, two):
        assert two.inside_box((26, 21)).tolist() == [True, True]
        assert two.inside_box((25, 20)).tolist() == [True, False]
        assert two.inside_box((25, 20), boundary_threshold=1).tolist() == [True, True]

    def test_scale_changes_the_tensor_itself(self, two):
        tensor = two.tensor
        two.scale(2, 3)
        assert tensor.tolist() == [[0, 0, 20, 30], [10, 15, 40, 75]]

    def test_indexing(self, two):
        assert two[0].tensor.tolist() == [[0, 0, 10, 10]]
        assert two[-1].tensor.tolist() == two[1:].tensor.tolist() == two[torch.tensor([False, True])].tensor.tolist()
        assert len(two[torch.tensor([1, 0, 1])]) == 3
        with pytest.raises(IndexError):
            two[2]
        with pytest.raises(AssertionError):
            two[:, 0]
        with pytest.raises(AssertionError):
            two[torch.tensor(1)]

    def test_cat_clone_to_iteration(self, two):
        assert len(Boxes.cat([two, two])) == 4
        clone = two.clone()
        clone.scale(0, 0)
        assert two.area().sum() == 400
        assert two.to(torch.device("cpu")).device.type == "cpu"
        assert [tuple(box.shape) for box in two] == [(4,), (4,)]
        with pytest.raises(AssertionError):
            Boxes.cat([torch.zeros(1, 4)])


class TestPairwise:
    def test_no_boxes(self, two):
        assert pairwise_iou(two, Boxes([])).shape == (2, 0)
        assert pairwise_point_box_distance(torch.zeros(0, 2), two).shape == (0, 2, 4)

    def test_values(self, two):
        # overlap 5 x 5 = 25; areas 100 and 300; union 375
        assert pairwise_intersection(two, two).tolist() == [[100, 25], [25, 300]]
        assert torch.allclose(pairwise_iou(two, two), torch.tensor([[1, 25 / 375], [25 / 375, 1]]))
        assert torch.allclose(pairwise_ioa(two, two), torch.tensor([[1, 25 / 300], [25 / 100, 1]]))
        assert matched_pairwise_iou(two, two).tolist() == [1, 1]

    def test_boxes_without_area_give_zero(self):
        points = Boxes(torch.zeros(2, 4))
        assert pairwise_iou(points, points).tolist() == [[0, 0], [0, 0]]
        assert pairwise_ioa(points, points).tolist() == [[0, 0], [0, 0]]

    def test_matched_needs_equal_lengths(self, two):
        with pytest.raises(AssertionError):
            matched_pairwise_iou(two, two[0])

    def test_point_box_distance(self, two):
        distances = pairwise_point_box_distance(torch.tensor([[30.0, 1]]), two)
        # left, top, right, bottom: 30 - 0, 1 - 0, 10 - 30, 10 - 1 and 30 - 5, 1 - 5, 20 - 30, 25 - 1
        assert distances.tolist() == [[[30, 1, -20, 9], [25, -4, -10, 24]]]

    @settings(max_examples=30, deadline=None)
    @given(
        st.lists(
            st.tuples(st.integers(0, 50), st.integers(0, 50), st.integers(1, 30), st.integers(1, 30)),
            min_size=1,
            max_size=5,
        )
    )
    def test_iou_is_symmetric_and_one_on_the_diagonal(self, xywh):
        boxes = Boxes(BoxMode.convert(torch.tensor(xywh), XYWH, XYXY))
        iou = pairwise_iou(boxes, boxes)
        assert torch.equal(iou, iou.T)
        assert torch.equal(iou.diagonal(), torch.ones(len(boxes)))
        assert bool(((iou >= 0) & (iou <= 1)).all())
