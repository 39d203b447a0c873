import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pycocotools import mask as coco_mask

from vis_projects.layers.rle_reference import checked_rle, merge_empty_runs, read_numbers, read_runs


@pytest.mark.parametrize("text, runs", [
    ("", []), ("0", [0]), ("04", [0, 4]), (b"04", [0, 4]),
    ("32201", [3, 2, 2, 2, 3]),  # the fourth and fifth number are differences: 2 + 0, 2 + 1
    ("P1", [32]),  # digit 0 and more, digit 1: 0 + 1 * 32
    ("O", [-1]),  # digit 31: its bit 16 is the sign
    ("0512O", [0, 5, 1, 7, 0]),  # 5 + 2, 1 - 1
])
def test_runs_by_hand(text, runs):
    assert read_runs(text).tolist() == runs


@settings(max_examples=150, deadline=None)
@given(st.lists(st.one_of(st.integers(1, 40), st.integers(1, 10**6)), min_size=1, max_size=30))
def test_runs_of_pycocotools_come_back(runs):
    compressed = coco_mask.frPyObjects({"size": [1, sum(runs)], "counts": runs}, 1, sum(runs))
    assert read_runs(compressed["counts"]).tolist() == runs
    assert checked_rle(compressed) == compressed


@pytest.mark.parametrize("text", ["P", "0P", " ", "\x7f", "PPPPPP0", "ä", b"\xff"])
def test_broken_texts_are_refused(text):
    with pytest.raises(ValueError, match="RLE"):
        read_runs(text)


def test_numbers_of_several_texts():
    # 32 = 0 + 1 * 32 is "P1"; -50 = 14 - 32 * 2 is "^N"; differences stay what they are
    numbers, ends = read_numbers([b"04", b"", b"P1", b"0001^N"])
    assert numbers.tolist() == [0, 4, 32, 0, 0, 0, 1, -50]
    assert ends.tolist() == [0, 1, 3, 4, 5, 6, 7, 9]
    for nothing in ([], [b""]):
        assert [column.tolist() for column in read_numbers(nothing)] == [[], []]


@pytest.mark.parametrize("broken", [b"P", b"0P", b" ", b"\xff", b"PPPPPP0"])
def test_one_broken_text_among_others_is_refused(broken):
    # a number without its last digit does not go on in the next text
    with pytest.raises(ValueError, match="no compressed RLE text"):
        read_numbers([b"04", broken, b"1"])


@pytest.mark.parametrize("runs, merged", [
    ([], []), ([0], []), ([0, 0, 0], []), ([4], [4]), ([0, 4], [0, 4]), ([2, 0, 2], [4]), ([0, 3, 0, 1], [0, 4]),
    ([3, 0, 0, 2], [3, 2]), ([1, 2, 0], [1, 2]), ([0, 0, 2, 1, 0, 1], [2, 2]),
])
def test_empty_runs_are_merged(runs, merged):
    assert merge_empty_runs(np.array(runs, dtype=np.int64)).tolist() == merged


def test_a_mask_with_empty_runs_is_written_anew():
    # 2 background, nothing, 1 background, 1 foreground -> 3, 1
    assert checked_rle({"size": [2, 2], "counts": [2, 0, 1, 1]}) == {"size": [2, 2], "counts": b"31"}
