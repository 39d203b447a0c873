"""Facts of data sets, and the errors of sets that are not there."""

import pytest
from detectron2.data import DatasetCatalog, MetadataCatalog

from tests.engine.toy_model import register_toy_set
from vis_projects.data import register_ytvis
from vis_projects.engine.dataset_facts import DatasetFacts, check_present, check_same_classes, file_sha256, read_facts
from vis_projects.engine.errors import ConfigError, DataError


def test_facts_of_a_set(tmp_path):
    name = register_toy_set(tmp_path, "toy_facts", videos=1)
    try:
        assert read_facts(name) == DatasetFacts(name, ("square", "disc", "bar"), 3)
    finally:
        DatasetCatalog.remove(name)
        MetadataCatalog.remove(name)


def test_an_unregistered_name_lists_close_ones():
    with pytest.raises(ConfigError, match="ytvis_2019_vall.*ytvis_2019_val"):
        check_present(["ytvis_2019_vall"])


def test_missing_files_name_path_variable_and_how_to_get_them():
    with pytest.raises(DataError) as error:
        check_present(["ytvis_2019_val"])
    text = str(error.value)
    assert MetadataCatalog.get("ytvis_2019_val").json_file in text
    assert "DETECTRON2_DATASETS" in text and "youtube-vos" in text and "\n" not in text


def test_a_broken_json_is_named(tmp_path):
    (tmp_path / "bad.json").write_text("{")
    (tmp_path / "images").mkdir()
    register_ytvis("toy_broken", str(tmp_path / "bad.json"), str(tmp_path / "images"))
    try:
        with pytest.raises(DataError, match="toy_broken.*bad.json"):
            read_facts("toy_broken")
    finally:
        DatasetCatalog.remove("toy_broken")
        MetadataCatalog.remove("toy_broken")


def test_sets_of_other_classes_cannot_be_evaluated():
    check_same_classes(("a", "b"), [DatasetFacts("x", ("a", "b"), 0)])
    with pytest.raises(ConfigError, match=r"2 classes \(a, b\).*other of DATASETS.TEST.*CLASS_SUBSET"):
        check_same_classes(("a", "b"), [DatasetFacts("other", ("b", "a"), 0)])


def test_hash_of_a_file_that_is_not_there(tmp_path):
    assert file_sha256(tmp_path / "x") == file_sha256("") == ""
