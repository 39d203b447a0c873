import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pycocotools import mask as coco_mask

from vis_projects.evaluation.run_lengths import count_runs


def compress(runs: list[int]) -> bytes:
    return coco_mask.frPyObjects({"size": [1, sum(runs)], "counts": runs}, 1, sum(runs))["counts"]


def test_nothing():
    assert [column.shape for column in count_runs([])] == [(0,)] * 3
    assert [column.tolist() for column in count_runs([b"", b""])] == [[0, 0]] * 3


@settings(max_examples=200, deadline=None)
@given(st.lists(st.lists(st.one_of(st.integers(0, 40), st.integers(0, 10**6)), min_size=1, max_size=12), max_size=6))
def test_sums_of_any_runs(masks):
    total, foreground, shortest = count_runs([compress(runs) for runs in masks])
    assert total.tolist() == [sum(runs) for runs in masks]
    assert foreground.tolist() == [sum(runs[1::2]) for runs in masks]
    assert shortest.tolist() == [min(runs) for runs in masks]


def test_an_empty_text_between_others():
    assert [column.tolist() for column in count_runs([compress([3, 4]), b"", compress([1, 5, 1])])] == [
        [7, 0, 7], [4, 0, 5], [3, 0, 1]
    ]


@pytest.mark.parametrize("broken", [b"P", b"0P", b" ", b"\xff", b"0\0000", b"PPPPPPPPPPPP0"])
def test_a_broken_text_is_marked_and_leaves_its_neighbours_alone(broken):
    # P asks for a further digit
    total, foreground, shortest = count_runs([compress([3, 4]), broken, compress([900, 1, 2])])
    assert total.tolist() == [7, -1, 903]
    assert foreground.tolist() == [4, -1, 1]
    assert shortest.tolist() == [3, 0, 1]


@pytest.mark.parametrize("broken, runs", [
    (b"O", [-1]),
    (b"5O6", [5, -1, 6]),
    # 45 = 13 + 32 * 1, then the difference -5 - 45 = -50 = 14 - 32 * 2; the sum is that of a mask of 40 pixels
    (b"0]10^N", [0, 45, 0, -5]),
])
def test_a_negative_run_shows_whatever_the_sum_is(broken, runs):
    total, foreground, shortest = count_runs([compress([3, 4]), broken])
    assert (total.tolist(), foreground.tolist()) == ([7, sum(runs)], [4, sum(runs[1::2])])
    assert shortest.tolist() == [3, min(runs)]


def test_areas_of_dense_masks():
    rng = np.random.default_rng(0)
    masks = rng.random((31, 47, 5)) < 0.5
    rles = coco_mask.encode(np.asfortranarray(masks.astype(np.uint8)))
    total, foreground, shortest = count_runs([rle["counts"] for rle in rles])
    assert total.tolist() == [31 * 47] * 5
    assert foreground.tolist() == masks.sum((0, 1)).tolist()
    assert (shortest >= 0).all()
