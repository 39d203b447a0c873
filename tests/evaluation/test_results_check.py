"""Each fault of a results file is named with entry, video and remedy; a good file passes."""

import copy
import json
import math

import pytest

from tests.evaluation.worlds import bar, found, ground_truth
from vis_projects.evaluation import EvaluationInputError, check_results

SPLIT = ground_truth(None, videos=2, categories=(3, 7), length=3)  # frames of 4 x 10
GOOD = [found([bar(0, 4), None, bar(1, 5)], category=3), found([bar(2, 4)] * 3, video=2, category=7)]


def faults_of(change) -> list:
    results = copy.deepcopy(GOOD)
    change(results)
    return check_results(results, SPLIT)


def set_field(entry, **fields):
    return lambda results: results[entry].update(fields)


def set_mask(frame, value):
    return lambda results: results[0]["segmentations"].__setitem__(frame, value)


RLE = GOOD[0]["segmentations"][0]


def test_a_good_file_has_no_fault(tmp_path):
    assert check_results(GOOD, SPLIT) == []
    for name, content in (("results.json", GOOD), ("valid.json", SPLIT)):
        (tmp_path / name).write_text(json.dumps(content))
    assert check_results(tmp_path / "results.json", tmp_path / "valid.json") == []


@pytest.mark.parametrize(
    ("change", "field", "message"),
    [
        (set_field(0, video_id=9), "video_id", "9 is no video of the split"),
        (set_field(0, video_id="1"), "video_id", "'1' is no video"),
        (set_field(0, video_id=True), "video_id", "True is no video"),
        (set_field(0, category_id=3.0), "category_id", r"3.0 \(float\) is no category"),
        (set_field(0, category_id=5), "category_id", "one of \\[3, 7\\]"),
        (set_field(0, score=math.nan), "score", "nan"),
        (set_field(0, score="0.5"), "score", "'0.5'"),
        (set_field(0, segmentations=None), "segmentations", "one entry per frame"),
        (lambda r: r[0]["segmentations"].pop(), "segmentations", "2 entries, the video 3 frames"),
        (set_mask(0, {**RLE, "size": [10, 4]}), r"segmentations\[0\].size", r"\[10, 4\], the frames .* \[4, 10\]"),
        (set_mask(0, {**RLE, "counts": RLE["counts"].encode()}), r"segmentations\[0\].counts", "bytes"),
        (set_mask(0, {**RLE, "counts": str(RLE["counts"].encode())}), r"segmentations\[0\].counts",
         r"str\(\) makes of bytes"),
        # runs 5, 3, -2, 34 cover 40 pixels; the fourth is written as its difference to the second: 31
        (set_mask(0, {**RLE, "counts": "53No0"}), r"segmentations\[0\].counts", "has a negative run"),
        (set_mask(2, {**RLE, "counts": [0, 40]}), r"segmentations\[2\].counts", "list of run lengths"),
        (set_mask(2, {**RLE, "counts": "~~"}), r"segmentations\[2\].counts", "no compressed RLE text"),
        (set_mask(0, {**RLE, "counts": RLE["counts"] + "1"}), r"segmentations\[0\].counts", "the frame has 40"),
        (set_mask(0, [[0, 0, 1, 0, 1, 1]]), r"segmentations\[0\]", "no polygons"),
        (lambda r: r.__setitem__(0, [1, 2]), "entry", "object per track"),
    ],
)
def test_each_fault_is_refused_with_its_reason(change, field, message):
    fatal = [str(fault) for fault in faults_of(change) if fault.fatal]
    assert len(fatal) == 1
    with pytest.raises(AssertionError, match=f"entry 0.*{field}: .*{message}|entry 0.*{field}: .*Remedy: .*{message}"):
        raise AssertionError(fatal[0])


def test_what_a_server_takes_is_a_warning():
    faults = faults_of(lambda r: r.pop())
    assert [fault.fatal for fault in faults] == [False]
    assert "1 of 2 videos have no track, the first is 2" in str(faults[0])
    faults = faults_of(set_field(0, segmentations=[None] * 3))
    assert [fault.fatal for fault in faults] == [False] and "absent in every frame" in str(faults[0])
    faults = faults_of(lambda r: r.extend([r[0]] * 100))
    assert [fault.fatal for fault in faults] == [False] and "101 tracks of category 3" in str(faults[0])


def test_files_that_are_no_list_or_empty():
    assert "one entry per track" in str(check_results({"a": 1}, SPLIT)[0])
    (fault,) = check_results([], SPLIT)
    assert fault.fatal and "no track at all" in str(fault)


def test_a_broken_split_is_named():
    with pytest.raises(EvaluationInputError, match="videos is"):
        check_results(GOOD, {"categories": []})
    with pytest.raises(EvaluationInputError, match="lacks 'height'.*check-data"):
        check_results(GOOD, {**SPLIT, "videos": [{"id": 1}]})
