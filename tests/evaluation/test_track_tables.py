"""Tables from files and from objects: the same, and only from content of the plain form."""

import json

import numpy as np
import pytest
import torch

from tests.evaluation.worlds import bar, found, ground_truth, rle, truth
from vis_projects.evaluation.engine import has_engine
from vis_projects.evaluation.track_tables import NotPlainError, result_tables, truth_tables
from vis_projects.layers.rle_table import ABSENT, JSON_LIST, JSON_TEXT

FULL = bar(0, 10)
NATIVE = has_engine()


def from_file(read, content, folder, **writing):
    path = folder / "content.json"
    path.write_text(content if isinstance(content, str) else json.dumps(content, **writing))
    return read(path)


def assert_plain(read, content, folder, plain: bool) -> None:
    """Both readers agree whether content is plain."""
    sources = [lambda: read(content)] + [lambda: from_file(read, content, folder)] * NATIVE
    for source in sources:
        if plain:
            source()
        else:
            with pytest.raises(NotPlainError):
                source()


@pytest.mark.parametrize("writing", [{}, {"indent": 2}, {"separators": (",", ":"), "sort_keys": True}])
def test_file_and_objects_give_the_same_tables(writing, tmp_path):
    gt = ground_truth([truth(4, [FULL, None]), truth(0, [None] * 3, category=2, areas=[None, 0, 8], iscrowd=1),
                       truth(5, [], areas=None)], videos=2, categories=(2, 1), length=2)
    gt["videos"][1] = {"id": 7, "width": 3, "height": 2, "file_names": ["a/\u00e4\n", "b"]}
    gt["categories"].append({"id": 30, "name": "caf\u00e9 \"x\"\\"})
    gt["categories"].append({"id": 31})
    gt["info"] = {"nested": [{"deep": [1.5e3, -2, True, None, "\u2028"]}]}
    results = [{**found([FULL, None], 0.25), "id": "x"}, found([], -1e-3, category=9), found([None] * 3, 2)]
    objects = truth_tables(gt)
    assert objects.videos.tolist() == [[1, 4, 10, 2], [7, 2, 3, 2]]
    assert objects.categories == [(2, "class2"), (1, "class1"), (30, "caf\u00e9 \"x\"\\"), (31, "31")]
    assert objects.tracks.tolist() == [[4, 1, 1, 0, 0, 2], [0, 1, 2, 1, 2, 3], [5, 1, 1, 0, 5, 0]]
    np.testing.assert_array_equal(objects.mean_areas, [10, 8, np.nan])
    listed = result_tables(results)
    assert listed.tracks.tolist() == [[1, 1, 0, 2], [1, 9, 2, 0], [1, 1, 2, 3]]
    assert listed.scores.tolist() == [0.25, -0.001, 2.0]
    if not NATIVE:
        return
    file = from_file(truth_tables, gt, tmp_path, **writing)
    assert (file.videos.tolist(), file.categories, file.tracks.tolist()) == (
        objects.videos.tolist(), objects.categories, objects.tracks.tolist())
    np.testing.assert_array_equal(file.mean_areas, objects.mean_areas)
    assert file.masks.rows[:, 0].tolist() == [JSON_LIST, *[ABSENT] * 4]
    begin, end = file.masks.rows[0, 3:].tolist()
    written = json.loads(b"[" + file.masks.buffer[begin:end].numpy().tobytes() + b"]")
    assert written == gt["annotations"][0]["segmentations"][0]["counts"]
    file = from_file(result_tables, results, tmp_path, **writing)
    assert (file.tracks.tolist(), file.scores.tolist()) == (listed.tracks.tolist(), listed.scores.tolist())
    assert file.masks.rows[:, 0].tolist() == [JSON_TEXT, *[ABSENT] * 4]
    assert file.masks.rows[0, 1:3].tolist() == [4, 10]


CHANGED_RESULTS = {
    "more fields": (lambda r: r.update(bboxes=[[1.5, 2]], note={"a": []}), True),
    "whole score": (lambda r: r.update(score=1), True),
    "empty object as mask": (lambda r: r.update(segmentations=[{}]), True),
    "list of runs": (lambda r: r.update(segmentations=[{"size": [4, 10], "counts": [40]}]), True),
    "more in a mask": (lambda r: r["segmentations"][0].update(id=[1, "x"]), True),
    "no score": (lambda r: r.pop("score"), False),
    "true as score": (lambda r: r.update(score=True), False),
    "text score": (lambda r: r.update(score="0.5"), False),
    "endless score": (lambda r: r.update(score=float("inf")), False),
    "float id": (lambda r: r.update(video_id=1.0), False),
    "text id": (lambda r: r.update(category_id="1"), False),
    "true as id": (lambda r: r.update(category_id=True), False),
    "huge id": (lambda r: r.update(video_id=2**70), False),
    "no masks": (lambda r: r.update(segmentations=None), False),
    "polygons": (lambda r: r.update(segmentations=[[[0, 0, 4, 0, 4, 4]]]), False),
    "text as mask": (lambda r: r.update(segmentations=["04"]), False),
    "false as mask": (lambda r: r.update(segmentations=[False]), False),
    "no size": (lambda r: r.update(segmentations=[{"counts": "04"}]), False),
    "float size": (lambda r: r["segmentations"][0].update(size=[4.0, 10]), False),
    "three sizes": (lambda r: r["segmentations"][0].update(size=[4, 10, 1]), False),
    "huge size": (lambda r: r["segmentations"][0].update(size=[2**20, 2**20]), False),
    "no counts": (lambda r: r["segmentations"][0].pop("counts"), False),
    "null counts": (lambda r: r["segmentations"][0].update(counts=None), False),
}


@pytest.mark.parametrize("change, plain", CHANGED_RESULTS.values(), ids=CHANGED_RESULTS)
def test_plain_results(change, plain, tmp_path):
    record = found([FULL])
    change(record)
    assert_plain(result_tables, [found([FULL]), record], tmp_path, plain)


CHANGED_TRUTH = {
    "crowd as bool": (lambda g: g["annotations"][0].update(iscrowd=True), True),
    "null crowd": (lambda g: g["annotations"][0].update(iscrowd=None), True),
    "whole floats as areas": (lambda g: g["annotations"][0].update(areas=[10.0]), True),
    "null areas": (lambda g: g["annotations"][0].update(areas=None), True),
    "float crowd": (lambda g: g["annotations"][0].update(iscrowd=0.0), False),
    "text areas": (lambda g: g["annotations"][0].update(areas="x"), False),
    "true as area": (lambda g: g["annotations"][0].update(areas=[True]), False),
    "no id": (lambda g: g["annotations"][0].pop("id"), False),
    "no annotations": (lambda g: g.pop("annotations"), False),
    "null videos": (lambda g: g.update(videos=None), False),
    "no categories": (lambda g: g.pop("categories"), False),
    "number as category": (lambda g: g.update(categories=[3]), False),
    "no height": (lambda g: g["videos"][0].pop("height"), False),
    "negative width": (lambda g: g["videos"][0].update(width=-1), False),
    "null length": (lambda g: g["videos"][0].update(length=None), False),
}


@pytest.mark.parametrize("change, plain", CHANGED_TRUTH.values(), ids=CHANGED_TRUTH)
def test_plain_ground_truth(change, plain, tmp_path):
    gt = ground_truth([truth(1, [FULL])], length=1)
    change(gt)
    assert_plain(truth_tables, gt, tmp_path, plain)


MASK = json.dumps(rle(FULL))
RECORD = '{"video_id": 1, "category_id": 1, "score": 0.5, "segmentations": [' + MASK + "]}"


@pytest.mark.parametrize("text, plain", [
    ("[]", True), (" [ ] \n", True), (f"[{RECORD}]", True), (f"[{RECORD},{RECORD}]", True),
    (f"[{RECORD.replace('0.5', '5E-1')}]", True), (f"[{RECORD.replace('0.5', '-0')}]", True),
    (f'[{RECORD[:-1]}, "a\\u0041": "\\ud800\\/"}}]', False), (f'[{RECORD[:-1]}, "a": "\\ud800\\/"}}]', True),
    ("", False), ("{}", False), ("[", False), ("[] x", False), ("[],", False), (f"[{RECORD},]", False),
    (f"[{RECORD}{RECORD}]", False), (f"[{RECORD[:-1]},}}]", False), (f'[{RECORD[:-1]}, "score": 1}}]', False),
    (f"[{RECORD.replace('0.5', '00.5')}]", False), (f"[{RECORD.replace('0.5', '.5')}]", False),
    (f"[{RECORD.replace('0.5', '1e400')}]", False), (f"[{RECORD.replace('0.5', 'NaN')}]", False),
    (f"[{RECORD.replace('0.5', '+1')}]", False), ("[" + RECORD.replace("score", "sc\\u006fre") + "]", False),
    (f'[{RECORD[:-1]}, "a": "\u00e4"}}]', False), (f'[{RECORD[:-1]}, "a": "\t"}}]', False),
    (f'[{RECORD[:-1]}, "a": {"[" * 200}{"]" * 200}}}]', False), (f'[{RECORD[:-1]}, "a": {"1" * 5000}}}]', False),
    ("\ufeff[]", False), ("[]\x00", False), ("// x\n[]", False), ("[nul]", False),
])
def test_plain_json(text, plain, tmp_path):
    if not NATIVE:
        return
    path = tmp_path / "results.json"
    path.write_text(text, encoding="utf-8")
    if plain:
        json.loads(text)
        assert len(result_tables(path).tracks) == text.count("video_id")
    else:
        with pytest.raises(NotPlainError):
            result_tables(path)


def test_a_missing_file_is_not_plain(tmp_path):
    with pytest.raises(NotPlainError, match="none.json"):
        truth_tables(tmp_path / "none.json")


def test_every_cut_of_a_file_is_not_plain(tmp_path):
    if not NATIVE:
        return
    path = tmp_path / "results.json"
    for end in range(len(RECORD) + 1):
        path.write_text(f"[{RECORD}"[: end + 1])
        with pytest.raises(NotPlainError):
            result_tables(path)


def test_ops_check_what_they_are_given():
    if not NATIVE:
        return
    ops, cells = torch.ops.vis_projects, torch.tensor([[0, 2, 0, 1, 0]])
    buffer, masks = torch.zeros(0, dtype=torch.uint8), torch.zeros(0, 5, dtype=torch.int64)
    track = torch.zeros(1, 2, dtype=torch.int64)
    with pytest.raises(RuntimeError, match="cells: row 0 is out of bounds"):
        ops.track_overlaps(buffer, masks, track, buffer, masks, track, cells)
    with pytest.raises(RuntimeError, match=r"rows must be int64 \(N, 5\)"):
        ops.track_overlaps(buffer, masks[:, :4], track, buffer, masks, track, cells)
    # a track whose masks are not in the table is refused, not read
    beyond = torch.tensor([[0, 3]])
    assert not ops.track_overlaps(buffer, masks, beyond, buffer, masks, track, torch.tensor([[0, 1, 0, 1, 0]]))[0]
    with pytest.raises(RuntimeError, match="contiguous uint8"):
        ops.ytvis_scan_results(torch.zeros(4))
