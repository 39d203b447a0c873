"""Names and ids of classes in every form of the file."""

import pytest

from tests.data.convert.worlds import save_json
from vis_projects.data.convert.category_map import CategoryMap
from vis_projects.data.errors import DatasetError

RECORDS = [{"id": 7, "name": "cat"}, {"id": 3, "name": "dog", "supercategory": "animal"}]


@pytest.mark.parametrize(
    ("data", "ids"),
    [
        (["cat", "dog"], {"cat": 1, "dog": 2}),
        ({"cat": 7, "dog": 3}, {"cat": 7, "dog": 3}),
        (RECORDS, {"cat": 7, "dog": 3}),
        ({"categories": RECORDS, "videos": []}, {"cat": 7, "dog": 3}),
        ({"clip": {"1": "dog", "2": "cat"}, "other": {"1": "dog"}}, {"cat": 1, "dog": 2}),  # sorted by name
    ],
)
def test_forms(tmp_path, data, ids):
    categories = CategoryMap.from_file(save_json(data, tmp_path / "c.json"))
    assert {name: categories.id_of(name, "x", "y") for name in categories.names} == ids
    assert all(record["supercategory"] for record in categories.records)


def test_supercategory_stays(tmp_path):
    assert CategoryMap(RECORDS, "c.json").records == [
        {"supercategory": "object", "id": 7, "name": "cat"}, {"supercategory": "animal", "id": 3, "name": "dog"}]


def test_objects(tmp_path):
    path = save_json({"categories": RECORDS, "objects": {"clip": {"2": "dog"}}}, tmp_path / "c.json")
    categories = CategoryMap.from_file(path)
    assert categories.id_of_object("clip", 2, "a.png") == 3
    with pytest.raises(DatasetError, match=r'a\.png: object 1 of video .clip.: has no class .* "objects": {"clip": '):
        categories.id_of_object("clip", 1, "a.png")
    # one class and no objects: every object is of this class; two classes: nobody knows
    assert CategoryMap.from_names(["thing"], "x").id_of_object("any", 5, "a.png") == 1
    with pytest.raises(DatasetError, match="has no class in x"):
        CategoryMap.from_names(["a", "b"], "x").id_of_object("any", 5, "a.png")
    wrong = CategoryMap(RECORDS, "c.json", {"clip": {"1": "cow"}})
    with pytest.raises(DatasetError, match=r"c\.json: objects\.clip\.1: is 'cow', c\.json has cat, dog"):
        wrong.id_of_object("clip", 1, "a.png")


def test_mots_classes():
    plain = CategoryMap(RECORDS, "c.json")
    assert plain.id_of_class(7, "x", "line 1") == 7
    moved = CategoryMap([{"id": 101, "name": "cat", "mots_class": 1}, {"id": 1, "name": "dog", "mots_class": 2}], "c")
    assert [moved.id_of_class(number, "x", "y") for number in (1, 2)] == [101, 1]
    with pytest.raises(DatasetError, match=r"x\.txt: line 1: has class 9, c\.json has \[3, 7\]"):
        plain.id_of_class(9, "x.txt", "line 1")


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ("cat", r"categories: is a str"),
        ([], r"categories: is \[\]"),
        (["cat", "cat"], "'cat' is used twice"),
        ({"cat": 1, "dog": 1}, "1 is used twice"),
        ({"cat": "1"}, r"categories\[0\]\.id: is '1'"),
        ([{"id": 1}], r"categories\[0\]\.name: is missing"),
        ({"categories": RECORDS, "objects": {"clip": ["cat"]}}, r"objects\.clip: is \['cat'\]"),
        ({"categories": RECORDS, "objects": [1]}, "objects: is a list"),
    ],
)
def test_broken_files(tmp_path, data, message):
    with pytest.raises(DatasetError, match=message) as error:
        CategoryMap.from_file(save_json(data, tmp_path / "c.json"))
    assert "c.json" in str(error.value) and "Remedy" in str(error.value)


def test_unknown_name():
    with pytest.raises(DatasetError, match=r"a\.json: shapes\[0\]\.label: is 'cow', c\.json has cat, dog\. Remedy"):
        CategoryMap(RECORDS, "c.json").id_of("cow", "a.json", "shapes[0].label")
