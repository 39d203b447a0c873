import pytest

from tests.evaluation.worlds import bar, rle
from vis_projects.evaluation.box_entries import read_boxes
from vis_projects.evaluation.errors import EvaluationInputError


def test_given_boxes():
    boxes, areas = read_boxes({"bboxes": [[1, 2, 3, 4.5], None, []]}, "entry", (4, 10))
    assert boxes.tolist() == [[1, 2, 3, 4.5], [0] * 4, [0] * 4]
    assert areas.tolist() == [13.5, 0, 0]


def test_boxes_around_masks():
    boxes, areas = read_boxes({"segmentations": [rle(bar(2, 5)), None]}, "entry", (4, 10))
    assert boxes.tolist() == [[2, 0, 3, 1], [0] * 4]
    assert areas.tolist() == [3, 0]


def test_no_frames():
    boxes, areas = read_boxes({"bboxes": []}, "entry", (4, 10))
    assert boxes.shape == (0, 4) and areas.shape == (0,)


@pytest.mark.parametrize("bboxes", [
    "abc", 5, [[1, 2, 3]], [[1, 2, 3, "4"]], [[0, 0, -1, 1]], [[0, 0, float("nan"), 1]]
])
def test_broken_boxes_are_refused(bboxes):
    with pytest.raises(EvaluationInputError, match="entry.bboxes"):
        read_boxes({"bboxes": bboxes}, "entry", (4, 10))
