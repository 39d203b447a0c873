"""compressed_pixels agrees with pycocotools on every mask and refuses damaged text."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pycocotools import mask as coco_mask

from tests.data.toy_json import rle
from vis_projects.data.mask_faults import compressed_pixels, mask_problem

VIDEO = {"height": 4, "width": 6}


@pytest.mark.parametrize("counts", ["", "~", "é", "o"])
def test_text_that_is_no_rle(counts):
    assert compressed_pixels(counts) is None


def test_a_blank_mask_covers_its_frame():
    # 24 = 0b11000 would end on its sign bit, so an empty group follows: chr(24 + 32 + 48) = "h", chr(0 + 48) = "0"
    assert compressed_pixels("h0") == 24
    assert rle()["counts"] == "h0"


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 60), st.integers(1, 60), st.floats(0, 1), st.integers(0, 2**32 - 1))
def test_every_encoded_mask_covers_height_times_width(height, width, density, seed):
    mask = np.random.default_rng(seed).random((height, width)) < density
    counts = coco_mask.encode(np.asfortranarray(mask.astype(np.uint8)))["counts"]
    assert compressed_pixels(counts) == height * width
    assert compressed_pixels(counts.decode()) == height * width


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
