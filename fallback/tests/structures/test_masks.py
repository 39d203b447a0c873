"""BitMasks, PolygonMasks, ROIMasks against small drawings."""

import numpy as np
import pytest
import torch

from detectron2.structures import BitMasks, Boxes, PolygonMasks, ROIMasks, polygons_to_bitmask

SQUARE = np.array([0.0, 0, 4, 0, 4, 4, 0, 4])
TRIANGLE = np.array([1.0, 1, 5, 1, 5, 3])


@pytest.fixture
def drawing():
    masks = torch.zeros(3, 5, 6, dtype=torch.bool)
    masks[0, 1:3, 2:5] = True
    masks[2] = True
    return BitMasks(masks)


class TestBitMasks:
    def test_no_masks(self):
        none = BitMasks(torch.zeros(0, 5, 6))
        assert len(none) == 0 and tuple(none.image_size) == (5, 6)
        assert none.nonempty().tolist() == [] and none.get_bounding_boxes().tensor.shape == (0, 4)
        assert none.crop_and_resize(torch.zeros(0, 4), 7).shape == (0, 7, 7)

    def test_becomes_bool_and_needs_three_dimensions(self):
        assert BitMasks(np.ones((1, 2, 2))).tensor.dtype == torch.bool
        with pytest.raises(AssertionError):
            BitMasks(torch.zeros(5, 6))

    def test_boxes_are_tight_and_zero_when_empty(self, drawing):
        assert drawing.nonempty().tolist() == [True, False, True]
        assert drawing.get_bounding_boxes().tensor.tolist() == [[2, 1, 5, 3], [0, 0, 0, 0], [0, 0, 6, 5]]

    def test_indexing_keeps_three_dimensions(self, drawing):
        assert drawing[0].tensor.shape == (1, 5, 6)
        assert drawing[1:].tensor.shape == drawing[torch.tensor([0, 2])].tensor.shape == (2, 5, 6)
        assert len(drawing[torch.tensor([True, False, False])]) == 1
        with pytest.raises(AssertionError):
            drawing[:, 0]
        with pytest.raises(IndexError):
            drawing[3]

    def test_crop_and_resize_of_whole_cells_is_the_crop(self, drawing):
        crop = drawing[0].crop_and_resize(torch.tensor([[1.0, 0, 5, 4]]), 4)
        assert crop.dtype == torch.bool
        assert torch.equal(crop[0], drawing.tensor[0, 0:4, 1:5])
        with pytest.raises(AssertionError):
            drawing.crop_and_resize(torch.zeros(1, 4), 4)

    def test_cat_repr_iteration(self, drawing):
        assert len(BitMasks.cat([drawing, drawing])) == 6
        assert repr(drawing) == "BitMasks(num_instances=3)"
        assert [tuple(mask.shape) for mask in drawing] == [(5, 6)] * 3
        assert drawing.to("cpu").device.type == "cpu"
        with pytest.raises(AssertionError):
            BitMasks.cat([])

    def test_from_polygons(self):
        expected = torch.zeros(5, 6, dtype=torch.bool)
        expected[:4, :4] = True
        for polygons in ([[SQUARE]], PolygonMasks([[SQUARE]])):
            assert torch.equal(BitMasks.from_polygon_masks(polygons, 5, 6).tensor[0], expected)
        assert BitMasks.from_polygon_masks([], 5, 6).tensor.shape == (0, 5, 6)


class TestPolygonMasks:
    def test_no_objects(self):
        none = PolygonMasks([])
        assert len(none) == 0 and none.area().tolist() == [] and none.nonempty().tolist() == []
        assert none.get_bounding_boxes().tensor.shape == (0, 4)
        assert none.crop_and_resize(torch.zeros(0, 4), 7).shape == (0, 7, 7)

    def test_coordinates_become_float64(self):
        for polygon in ([0, 0, 5, 0, 5, 5], (0, 0, 5, 0, 5, 5), torch.tensor([0, 0, 5, 0, 5, 5])):
            array = PolygonMasks([[polygon]]).polygons[0][0]
            assert array.dtype == np.float64 and array.tolist() == [0, 0, 5, 0, 5, 5]

    @pytest.mark.parametrize(
        "polygons",
        [3, ([SQUARE],), [SQUARE], [3], [[SQUARE[:4]]], [[SQUARE[:7]]]],
        ids=["int", "tuple", "flat", "number", "four", "odd"],
    )
    def test_malformed(self, polygons):
        with pytest.raises(ValueError):
            PolygonMasks(polygons)

    def test_area_and_boxes(self):
        masks = PolygonMasks([[SQUARE, TRIANGLE], [TRIANGLE]])
        # The square has 16; the triangle has legs 4 and 2: 4.
        assert masks.area().tolist() == [20, 4]
        assert masks.get_bounding_boxes().tensor.tolist() == [[0, 0, 5, 4], [1, 1, 5, 3]]
        assert PolygonMasks([[], [TRIANGLE]]).nonempty().tolist() == [False, True]

    def test_indexing(self):
        masks = PolygonMasks([[SQUARE], [TRIANGLE]])
        for index in (1, -1, slice(1, None), [1], torch.tensor([False, True]), torch.tensor([1])):
            chosen = masks[index]
            assert len(chosen) == 1 and chosen.polygons[0][0].tolist() == TRIANGLE.tolist()
        assert len(masks[torch.tensor([], dtype=torch.int64)]) == 0
        with pytest.raises(ValueError):
            masks[torch.tensor([1.0])]
        with pytest.raises(IndexError):
            masks[2]

    def test_crop_and_resize_stretches_the_box(self):
        masks = PolygonMasks([[SQUARE]])
        inside = masks.crop_and_resize(torch.tensor([[1.0, 1, 3, 3]]), 6)
        assert inside.dtype == torch.bool and bool(inside.all())
        # The box is twice as wide and high as the square in its upper left quarter.
        quarter = masks.crop_and_resize(torch.tensor([[0.0, 0, 8, 8]]), 8)[0]
        assert quarter[:4, :4].all() and quarter.sum() == 16
        point = masks.crop_and_resize(torch.tensor([[2.0, 2, 2, 2]]), 6)
        assert bool(point.all())
        with pytest.raises(AssertionError):
            masks.crop_and_resize(torch.zeros(2, 4), 6)

    def test_stays_on_the_cpu_and_concatenates(self):
        masks = PolygonMasks([[SQUARE]])
        assert masks.to("cuda") is masks and masks.device.type == "cpu"
        assert len(PolygonMasks.cat([masks, masks])) == 2
        assert [len(polygons) for polygons in masks] == [1]
        assert repr(masks) == "PolygonMasks(num_instances=1)"


class TestROIMasks:
    def test_needs_three_dimensions(self):
        with pytest.raises(ValueError):
            ROIMasks(torch.zeros(3, 4))
        masks = ROIMasks(torch.zeros(2, 3, 3))
        with pytest.raises(ValueError):
            masks[0]
        assert len(masks[0:1]) == len(masks[torch.tensor([True, False])]) == 1

    def test_to_bitmasks(self):
        masks = ROIMasks(torch.ones(1, 4, 4))
        pasted = masks.to_bitmasks(Boxes(torch.tensor([[1.0, 2, 4, 4]])), 6, 5)
        expected = torch.zeros(1, 6, 5, dtype=torch.bool)
        expected[0, 2:4, 1:4] = True
        assert torch.equal(pasted.tensor, expected)


def test_polygons_to_bitmask():
    assert polygons_to_bitmask([], 3, 4).shape == (3, 4)
    assert polygons_to_bitmask([], 3, 4).dtype == bool
    both = polygons_to_bitmask([SQUARE, SQUARE + 2], 8, 8)
    # Two squares of 16 pixels share 2 x 2.
    assert both.sum() == 28
