"""Run-length ops against hand-made masks, against pycocotools and against dense arithmetic."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from vis_projects.layers import has_native, mask_iou, rle_area, rle_decode, rle_encode, rle_iou, to_compressed
from vis_projects.layers.rle import rle_encode_reference

masks_strategy = hnp.arrays(np.bool_, st.tuples(st.integers(1, 4), st.integers(1, 70), st.integers(1, 70)))


def test_encode_without_masks_gives_no_rle():
    assert rle_encode(torch.zeros(0, 4, 5, dtype=torch.bool)) == []


def test_decode_of_nothing_is_empty():
    assert rle_decode([]).shape == (0, 0, 0)
    assert rle_area([]).tolist() == []
    assert rle_iou([], rle_encode(torch.ones(2, 3, 3, dtype=torch.bool))).shape == (0, 2)


def test_hand_made_mask_is_encoded_column_by_column():
    # 3 x 4 mask, columns 000 110 011 000 -> runs 3 background, 2 on, 2 off (end of column 1, top of column 2),
    # 2 on, 3 off. The text codes runs 0-2 as they are and later ones minus the run two before:
    # 3 2 2 (2-2=0) (3-2=1) -> characters 48 + value.
    mask = torch.tensor([[[0, 1, 0, 0], [0, 1, 1, 0], [0, 0, 1, 0]]], dtype=torch.bool)
    assert rle_encode(mask) == [{"size": [3, 4], "counts": "32201"}]


def test_foreground_in_the_first_pixel_starts_with_an_empty_run():
    assert rle_encode(torch.ones(1, 2, 2, dtype=torch.bool)) == [{"size": [2, 2], "counts": "04"}]


@settings(max_examples=60, deadline=None)
@given(masks_strategy)
def test_encode_equals_reference_and_round_trips(masks):
    masks = torch.from_numpy(masks)
    encoded = rle_encode(masks)
    assert encoded == rle_encode_reference(masks.to(torch.uint8))
    assert torch.equal(rle_decode(encoded), masks)
    assert rle_area(encoded).tolist() == masks.flatten(1).sum(1).tolist()


def test_large_and_non_contiguous_masks_equal_the_reference():
    generator = torch.Generator().manual_seed(0)
    masks = (torch.rand(3, 1080, 1920, generator=generator) > 0.5).transpose(1, 2)
    assert rle_encode(masks) == rle_encode_reference(masks.to(torch.uint8).contiguous())


def test_native_op_rejects_what_it_cannot_read():
    if has_native("rle_encode"):
        with pytest.raises(RuntimeError, match="uint8"):
            torch.ops.vis_projects.rle_encode(torch.zeros(1, 2, 2))
        with pytest.raises(RuntimeError, match="dimensions"):
            torch.ops.vis_projects.rle_encode(torch.zeros(2, 2, dtype=torch.uint8))
    with pytest.raises(ValueError, match=r"\(N, H, W\)"):
        rle_encode(torch.zeros(1, 2, 2))


@settings(max_examples=30, deadline=None)
@given(st.data())
def test_iou_of_runs_equals_iou_of_pixels(data):
    size = data.draw(st.tuples(st.integers(1, 20), st.integers(1, 20)))
    a = torch.from_numpy(data.draw(hnp.arrays(np.bool_, (2, *size))))
    b = torch.from_numpy(data.draw(hnp.arrays(np.bool_, (3, *size))))
    inter = (a[:, None] & b[None]).flatten(2).sum(2).double()
    union = (a[:, None] | b[None]).flatten(2).sum(2).double()
    expected = torch.where(union > 0, inter / union.clamp(min=1), torch.zeros_like(inter))
    assert torch.allclose(rle_iou(rle_encode(a), rle_encode(b)), expected, atol=1e-12)
    assert torch.allclose(mask_iou(a, b).double(), expected, atol=1e-6)


def test_uncompressed_counts_are_read_and_checked():
    assert rle_decode([{"size": [2, 2], "counts": [1, 2, 1]}]).int().tolist() == [[[0, 1], [1, 0]]]
    with pytest.raises(ValueError, match="add up to 3.*needs 4"):
        to_compressed({"size": [2, 2], "counts": [1, 2]})
    with pytest.raises(ValueError, match="'size' and 'counts'"):
        to_compressed({"counts": "04"})


def test_sizes_that_differ_are_named():
    a, b = rle_encode(torch.ones(1, 2, 2, dtype=torch.bool)), rle_encode(torch.ones(1, 2, 3, dtype=torch.bool))
    with pytest.raises(ValueError, match=r"\(2, 2\), \(2, 3\)"):
        rle_decode(a + b)
    with pytest.raises(ValueError, match="one size"):
        rle_iou(a, b)
    with pytest.raises(ValueError, match="one size"):
        mask_iou(torch.ones(1, 2, 2), torch.ones(1, 2, 3))
