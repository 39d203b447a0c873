"""Boxes, areas and masks that do not go together: each named with its frame and remedy, none fatal."""

import pytest

from tests.data.toy_json import rle
from vis_projects.data.track_faults import track_faults

VIDEO = {"id": 3, "height": 20, "width": 30}
BLOCK = rle(*((y, x) for y in range(5, 15) for x in range(10, 20)), size=(20, 30))  # 10 x 10 at (10, 5)


def track(**fields):
    return {"id": 1, "video_id": 3, "segmentations": [None, BLOCK], "bboxes": [None, [10, 5, 10, 10]],
            "areas": [None, 100], **fields}


def test_a_track_that_fits_has_no_fault():
    assert list(track_faults(track(), VIDEO)) == []
    assert list(track_faults(track(bboxes=None, areas=None), VIDEO)) == []
    assert list(track_faults(track(bboxes=[None, [9, 4, 11, 12]], areas=[None, 101]), VIDEO)) == [], "within tolerance"


@pytest.mark.parametrize(
    ("fields", "field", "message"),
    [
        ({"bboxes": [None, [13, 5, 10, 10]]}, "bboxes[1]", "not the box around the mask"),
        ({"bboxes": [None, [10, 5, 10, 13]]}, "bboxes[1]", "not the box around the mask"),
        ({"areas": [None, 90]}, "areas[1]", "is 90, the mask has 100 pixels"),
        ({"segmentations": [None, [[25, 5, 40, 5, 40, 10, 25, 10]]], "bboxes": None}, "segmentations[1]",
         "beyond the frame"),
        ({"segmentations": [None, rle(size=(20, 30))]}, "segmentations[1]", "no pixel"),
        ({"bboxes": [[1, 1, 2, 2], [10, 5, 10, 10]]}, "segmentations[0]", "null although bboxes[0]"),
        ({"segmentations": [None, None], "bboxes": None}, "segmentations", "absent in every frame"),
    ],
)
def test_what_does_not_fit_is_named(fields, field, message):
    (fault,) = track_faults(track(**fields), VIDEO)
    assert fault.field == field and message in fault.message and fault.remedy and not fault.fatal
