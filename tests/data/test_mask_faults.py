"""mask_problem takes every mask that pycocotools writes, and refuses damaged text."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pycocotools import mask as coco_mask

from tests.data.toy_json import rle
from vis_projects.data.mask_faults import mask_problem

VIDEO = {"height": 4, "width": 6}


@pytest.mark.parametrize("counts", ["~", "é", "o", "b'5'", "XXXXXXX0"])
def test_text_that_is_no_rle(counts):
    where, message, remedy = mask_problem({"size": [4, 6], "counts": counts}, VIDEO)
    assert where == ".counts" and "is not compressed RLE text" in message and remedy


@pytest.mark.parametrize("counts", ["", []])
def test_no_runs_cover_nothing(counts):
    assert "runs of 0 pixels in all, the frame has 24" in mask_problem({"size": [4, 6], "counts": counts}, VIDEO)[1]


# runs 5, 3, -2, 18 cover 24 pixels; the fourth is written as its difference to the second, 15
@pytest.mark.parametrize("counts", ["53N?", [5, 3, -2, 18]])
def test_a_negative_run_is_a_problem_although_the_sum_fits(counts):
    assert "not an integer >= 0" in mask_problem({"size": [4, 6], "counts": counts}, VIDEO)[1]


def test_sizes_are_integers():
    assert mask_problem({**rle((1, 1)), "size": [4.0, 6.0]}, VIDEO)[0] == ".size"


def test_a_blank_mask_covers_its_frame():
    # 24 = 0b11000 would end on its sign bit, so an empty group follows: chr(24 + 32 + 48) = "h", chr(0 + 48) = "0"
    assert rle()["counts"] == "h0"
    assert mask_problem({"size": [4, 6], "counts": "h0"}, VIDEO) is None


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 60), st.integers(1, 60), st.floats(0, 1), st.integers(0, 2**32 - 1))
def test_every_encoded_mask_covers_height_times_width(height, width, density, seed):
    mask = np.random.default_rng(seed).random((height, width)) < density
    counts = coco_mask.encode(np.asfortranarray(mask.astype(np.uint8)))["counts"]
    video = {"height": height, "width": width}
    for text in (counts, counts.decode()):
        assert mask_problem({"size": [height, width], "counts": text}, video) is None


def test_a_cut_text_is_a_problem():
    whole = rle((0, 0), (1, 3), (2, 2))
    for end in range(len(whole["counts"])):
        where, message, remedy = mask_problem({**whole, "counts": whole["counts"][:end]}, VIDEO)
        assert where == ".counts" and message and remedy


@pytest.mark.parametrize("absent", [None, [], {}])
def test_absent_is_no_problem(absent):
    assert mask_problem(absent, VIDEO) is None


def test_sound_masks_are_no_problem():
    assert mask_problem(rle((1, 1)), VIDEO) is None
    assert mask_problem(rle((1, 1), plain=True), VIDEO) is None
    assert mask_problem([[0, 0, 3.5, 0, 3, 2]], VIDEO) is None
