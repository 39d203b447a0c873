"""json_faults: a sound json has none, each broken one names video, annotation, field, value and remedy."""

import pytest

from tests.data.toy_json import edited, rle, small_json
from vis_projects.data.faults import json_faults

A, V = "annotations", "videos"
BROKEN = [  # place and value, then (video, annotation, field) and a word of the message
    ((V,), None, (None, None, "videos"), "missing"),
    (("categories",), [], (None, None, "categories"), "[]"),
    ((A,), {}, (None, None, "annotations"), "{}"),
    (("categories", 0, "id"), "7", (None, None, "categories[0].id"), "'7'"),
    (("categories", 1, "id"), 40, (None, None, "categories[2].id"), "40 is used twice"),
    (("categories", 1, "name"), "dog", (None, None, "categories[2].name"), "'dog' is used twice"),
    (("categories", 1, "name"), ..., (None, None, "categories[1].name"), "missing"),
    ((V, 0, "id"), None, (None, None, "videos[0].id"), "missing"),
    ((V, 1, "id"), 3, (3, None, "videos[1].id"), "twice"),
    ((V, 0, "height"), 0, (3, None, "height"), "0"),
    ((V, 0, "width"), "6", (3, None, "width"), "'6'"),
    ((V, 0, "length"), 4, (3, None, "length"), "is 4, file_names has 3"),
    ((V, 0, "file_names"), [], (3, None, "file_names"), "[]"),
    ((A, 0, "id"), -1, (3, None, "annotations[0].id"), "-1"),
    ((A, 1, "id"), 11, (3, 11, "annotations[1].id"), "11 is used twice"),
    ((A, 0, "video_id"), 4, (4, 11, "video_id"), "no video"),
    ((A, 0, "category_id"), 8, (3, 11, "category_id"), "known are [7, 40, 1001]"),
    ((A, 0, "category_id"), 7.0, (3, 11, "category_id"), "7.0"),
    ((A, 0, "iscrowd"), "no", (3, 11, "iscrowd"), "'no'"),
    ((A, 0, "segmentations"), [None, None], (3, 11, "segmentations"), "2 entries, the video has 3"),
    ((A, 0, "segmentations"), None, (3, 11, "segmentations"), "missing"),
    ((A, 0, "bboxes"), [None], (3, 11, "bboxes"), "1 entries, the video has 3"),
    ((A, 0, "areas"), [1], (3, 11, "areas"), "1 entries"),
    ((A, 0, "bboxes", 2), [1, 2, 3], (3, 11, "bboxes[2]"), "[1, 2, 3]"),
    ((A, 0, "bboxes", 2), [1, 2, -3, 1], (3, 11, "bboxes[2]"), "negative"),
    ((A, 0, "bboxes", 2), [1, 2, float("nan"), 1], (3, 11, "bboxes[2]"), "nan"),
    ((A, 0, "segmentations", 2), "x", (3, 11, "segmentations[2]"), "str"),
    ((A, 0, "segmentations", 2), rle((0, 0), size=(5, 6)), (3, 11, "segmentations[2].size"), "is [5, 6], the video is"),
    ((A, 0, "segmentations", 2), rle((0, 0), size=(6, 4)), (3, 11, "segmentations[2].size"), "swapped"),
    ((A, 0, "segmentations", 2), {"size": [4, 6], "counts": [3, 4]}, (3, 11, "segmentations[2].counts"), "7 pixels"),
    ((A, 0, "segmentations", 2), {"size": [4, 6], "counts": [30, -6]}, (3, 11, "segmentations[2].counts"), ">= 0"),
    ((A, 0, "segmentations", 2), {"size": [4, 6], "counts": "~"}, (3, 11, "segmentations[2].counts"), "compressed"),
    ((A, 0, "segmentations", 2), {"size": [4, 6]}, (3, 11, "segmentations[2].counts"), "NoneType"),
    ((A, 2, "segmentations", 0), [[1, 1, 4, 1]], (5, 21, "segmentations[0]"), "4 numbers"),
    ((A, 2, "segmentations", 0), [[1, 1, 4, 1, 4, 3, 1]], (5, 21, "segmentations[0]"), "7 numbers"),
    ((A, 2, "segmentations", 0), [1, 1, 4, 1, 4, 3], (5, 21, "segmentations[0]"), "where a polygon should be"),
]


def test_a_sound_json_has_no_fault():
    assert list(json_faults(small_json())) == []


@pytest.mark.parametrize("value", [..., None, []], ids=["missing", "null", "empty"])
def test_missing_annotations_are_no_fault(value):
    assert list(json_faults(edited(A, value=value))) == []


@pytest.mark.parametrize("absent", [None, [], {}])
def test_absent_entries_are_no_fault(absent):
    assert list(json_faults(edited(A, 0, "segmentations", 0, value=absent))) == []


@pytest.mark.parametrize("optional", ["bboxes", "areas", "iscrowd"])
def test_optional_fields_may_be_missing(optional):
    assert list(json_faults(edited(A, 0, optional, value=...))) == []


@pytest.mark.parametrize(("path", "value", "where", "word"), BROKEN, ids=lambda x: str(x)[:40])
def test_each_broken_field_is_named_once_with_value_and_remedy(path, value, where, word):
    faults = list(json_faults(edited(*path, value=value)))
    own = [f for f in faults if (f.video, f.annotation, f.field) == where]
    assert len(own) == 1
    assert word in own[0].message
    assert own[0].remedy and own[0].fatal
    for name in (where[0], where[1]):
        assert name is None or str(name) in str(own[0])


def test_what_is_no_object_at_all():
    assert [f.field for f in json_faults([1, 2])] == ["json"]


def test_only_the_first_bad_frame_of_a_track_is_reported():
    bad = rle((0, 0), size=(9, 9))
    faults = list(json_faults(edited(A, 0, "segmentations", value=[bad, bad, bad])))
    assert [f.field for f in faults] == ["segmentations[0].size"]
