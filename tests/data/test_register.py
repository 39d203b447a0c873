"""register_ytvis and register_class_subset: one call, metadata from the json, nothing read early."""

import uuid

import pytest
from detectron2.data import DatasetCatalog, MetadataCatalog

from tests.data.toy_json import write_json
from vis_projects.data.errors import DatasetError
from vis_projects.data.register import register_class_subset, register_ytvis


@pytest.fixture
def name(tmp_path):
    name = f"toy_{uuid.uuid4()}"
    register_ytvis(name, write_json(tmp_path), "/images", metadata={"colour": "blue"})
    return name


def test_metadata_is_there_before_and_after_loading(name):
    metadata = MetadataCatalog.get(name)
    assert metadata.evaluator_type == "ytvis" and metadata.image_root == "/images" and metadata.colour == "blue"
    assert metadata.json_file.endswith("instances.json")
    assert not hasattr(metadata, "thing_classes")
    assert len(DatasetCatalog.get(name)) == 2
    assert metadata.thing_classes == ["cat", "dog", "bird"] and metadata.num_identities == 3


def test_a_missing_json_raises_on_use_only():
    name = f"toy_{uuid.uuid4()}"
    register_ytvis(name, "/nowhere/instances.json", "/images")
    with pytest.raises(FileNotFoundError, match=f"{name}.*/nowhere/instances.json"):
        DatasetCatalog.get(name)


def test_a_subset_keeps_its_classes_in_the_given_order(name):
    subset = register_class_subset(name, ("bird", "cat"))
    assert subset == f"{name}@bird+cat" and register_class_subset(name, ("bird", "cat")) == subset
    videos = DatasetCatalog.get(subset)
    metadata = MetadataCatalog.get(subset)
    assert metadata.thing_classes == ["bird", "cat"]
    assert metadata.thing_dataset_id_to_contiguous_id == {7: 1, 1001: 0}
    assert metadata.evaluator_type == "ytvis" and metadata.json_file == MetadataCatalog.get(name).json_file
    assert [[(a["id"], a["category_id"]) for a in f] for v in videos for f in v["annotations"]] == [
        [(11, 1)], [], [(11, 1)], [(21, 0)]]


def test_an_unknown_class_of_a_subset_is_named(name):
    subset = register_class_subset(name, ("cat", "unicorn"))
    with pytest.raises(DatasetError, match="unicorn.*DATASETS.CLASS_SUBSET"):
        DatasetCatalog.get(subset)
