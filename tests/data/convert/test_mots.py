"""Numbers of classes and objects in MOTS, and what the writers put beside the labels."""

import json

import pytest

from tests.data.convert.worlds import overlapping, save_json
from vis_projects.data.convert.mots import (
    class_numbers,
    object_numbers,
    prepare_target,
    source_categories,
    source_folders,
)
from vis_projects.data.convert.notes import ConvertNotes
from vis_projects.data.convert.options import ConvertOptions
from vis_projects.data.errors import DatasetError


def test_class_numbers_keep_ids_where_mots_can_hold_them():
    # 10 is the class of regions to ignore, 0 and 65 do not fit into 16 bits with an instance
    ids = [3, 10, 0, 65, 64, 1]
    assert class_numbers([{"id": number} for number in ids]) == {3: 3, 10: 2, 0: 4, 65: 5, 64: 64, 1: 1}
    assert len(set(class_numbers([{"id": number} for number in range(100, 163)]).values())) == 63
    with pytest.raises(DatasetError, match="there are 64, MOTS holds 63 classes. Remedy: convert to coco"):
        class_numbers([{"id": number} for number in range(64)])


def test_object_numbers_count_in_video_and_class():
    data = {"videos": [{"id": 1}, {"id": 2}], "annotations": [
        {"id": number, "video_id": video, "category_id": category, "iscrowd": crowd}
        for number, video, category, crowd in ((5, 1, 7, 0), (6, 1, 8, 0), (7, 1, 7, 0), (8, 2, 7, 0), (9, 2, 7, 1))]}
    assert object_numbers(data, {7: 7, 8: 1}) == {5: 7001, 6: 1001, 7: 7002, 8: 7001, 9: 10000}


def test_more_than_999_objects():
    entry = {"video_id": 1, "category_id": 7, "iscrowd": 0}
    data = {"videos": [{"id": 1}], "annotations": [{"id": number, **entry} for number in range(999)]}
    assert max(object_numbers(data, {7: 7}).values()) == 7999
    data["annotations"].append({"id": 999, **entry})
    with pytest.raises(DatasetError, match="video 1: annotations: more than 999 objects of category 7. Remedy"):
        object_numbers(data, {7: 7})


def test_target_remembers_videos_and_classes(tmp_path):
    data, notes = overlapping(), ConvertNotes()
    assert prepare_target(data, str(tmp_path / "out"), notes) == {4: 7001, 9: 1001, 10: 10000}
    beside = json.loads((tmp_path / "out" / "videos.json").read_text())
    assert beside["videos"] == data["videos"] and "annotations" not in beside
    assert [(c["id"], c["mots_class"]) for c in beside["categories"]] == [(7, 7), (1001, 1)]
    assert any("{1001: 1}" in line for line in notes.lines())
    assert any("1 crowd regions become regions to ignore" in line for line in notes.lines())


def test_where_the_labels_lie(tmp_path):
    (tmp_path / "a" / "instances").mkdir(parents=True)
    assert source_folders(str(tmp_path / "a"), "instances") == (str(tmp_path / "a" / "instances"), None)
    assert source_folders(str(tmp_path / "a"), "instances_txt") == (str(tmp_path / "a"), None)
    # a file of this name that our writers did not make says nothing
    save_json({"videos": [], "categories": [{"id": 1, "name": "x"}]}, tmp_path / "a" / "videos.json")
    assert source_folders(str(tmp_path / "a"), "instances")[1] is None
    path = save_json({"categories": [{"id": 1, "name": "x", "mots_class": 1}]}, tmp_path / "a" / "videos.json")
    assert source_folders(str(tmp_path / "a"), "instances")[1] == path
    assert source_folders(str(tmp_path / "a" / "instances"), "instances")[1] == path


def test_classes_come_from_the_nearest_word_of_the_user(tmp_path):
    paths = {name: save_json({"categories": [{"id": 1, "name": name}]}, tmp_path / f"{name}.json")
             for name in ("named", "videos", "beside")}

    def names(**options):
        notes = ConvertNotes()
        return source_categories(ConvertOptions(**options), paths["beside"], notes).names, notes.lines()

    assert names(categories=paths["named"], videos=paths["videos"]) == (["named"], [])
    assert names(videos=paths["videos"]) == (["videos"], [])
    assert names()[0] == ["beside"] and "beside.json" in names()[1][0]
    notes = ConvertNotes()
    assert source_categories(ConvertOptions(), None, notes).names == ["car", "pedestrian"]
    assert "class 1 is car" in notes.lines()[0]
