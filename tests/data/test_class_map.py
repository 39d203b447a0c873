"""class_index_map and remap_classes: names across data sets."""

import pytest

from vis_projects.data.class_map import class_index_map, remap_classes
from vis_projects.data.errors import DatasetError


def test_same_names_map_to_themselves():
    assert class_index_map(["cat", "dog"], ["cat", "dog"], dataset_name="x") == [0, 1]


def test_writing_of_names_does_not_count():
    source, target = ["Tennis Racket", "earless-seal"], ["earless_seal", "tennis_racket"]
    assert class_index_map(source, target, dataset_name="x") == [1, 0]


def test_synonyms_serve_only_where_the_name_is_unknown():
    assert class_index_map(["car", "motorcycle"], ["motorbike", "sedan"], dataset_name="x") == [1, 0]
    assert class_index_map(["car"], ["sedan", "car"], dataset_name="x") == [1]


def test_other_classes_map_to_minus_one():
    assert class_index_map(["cat", "chair", "dog"], ["dog", "cat"], dataset_name="x") == [1, -1, 0]


def test_nothing_shared_or_a_missing_class_is_an_error():
    with pytest.raises(DatasetError, match="'kitchen'.*chair"):
        class_index_map(["chair"], ["dog"], dataset_name="kitchen")
    assert class_index_map(["dog"], ["dog", "cat"], dataset_name="x") == [0]
    with pytest.raises(DatasetError, match=r"\['cat'\]"):
        class_index_map(["dog"], ["dog", "cat"], dataset_name="x", require_all=True)


def test_records_of_both_kinds_are_renumbered_in_copies():
    video = {"file_names": ["a", "b"], "annotations": [[{"category_id": 0}, {"category_id": 1}], []]}
    image = {"file_name": "a", "annotations": [{"category_id": 1}, {"category_id": 2}]}
    bare = {"file_names": ["a"]}
    remapped = remap_classes([video, image, bare], [-1, 1, 0])
    assert remapped[0]["annotations"] == [[{"category_id": 1}], []]
    assert remapped[1]["annotations"] == [{"category_id": 1}, {"category_id": 0}]
    assert remapped[2] == bare
    assert video["annotations"][0][0] == {"category_id": 0}


def test_the_identity_changes_nothing():
    records = [{"file_name": "a", "annotations": [{"category_id": 1}]}]
    assert remap_classes(records, [0, 1]) == records
