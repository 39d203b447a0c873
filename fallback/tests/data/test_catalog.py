"""Names of data sets and what is known about them."""

import pytest
from detectron2.data import DatasetCatalog, Metadata, MetadataCatalog


@pytest.fixture
def name():
    yield "catalog_test"
    DatasetCatalog.pop("catalog_test", None)
    MetadataCatalog.pop("catalog_test", None)


def test_unknown_names_are_refused(name):
    with pytest.raises(KeyError):
        DatasetCatalog.get(name)
    with pytest.raises(KeyError):
        DatasetCatalog.remove(name)
    with pytest.raises(AssertionError):
        MetadataCatalog.get("")


def test_data_are_loaded_at_each_call(name):
    DatasetCatalog.register(name, lambda: [{"image_id": 1}])
    assert DatasetCatalog.get(name) == [{"image_id": 1}]
    assert DatasetCatalog.get(name) is not DatasetCatalog.get(name)
    assert name in DatasetCatalog and name in DatasetCatalog.list()
    with pytest.raises(AssertionError):
        DatasetCatalog.register(name, lambda: [])
    DatasetCatalog.remove(name)
    assert name not in DatasetCatalog


def test_only_functions_are_registered(name):
    with pytest.raises(AssertionError):
        DatasetCatalog.register(name, [{"image_id": 1}])
    assert name not in DatasetCatalog


def test_metadata_are_made_on_first_use_and_set_once(name):
    meta = MetadataCatalog.get(name)
    assert meta is MetadataCatalog.get(name) and meta.name == name
    assert meta.set(thing_classes=["a"], evaluator_type="coco") is meta
    meta.thing_classes = ["a"]  # the same again is fine
    with pytest.raises(AssertionError):
        meta.thing_classes = ["b"]
    assert meta.as_dict() == {"name": name, "thing_classes": ["a"], "evaluator_type": "coco"}
    MetadataCatalog.remove(name)
    assert not hasattr(MetadataCatalog.get(name), "thing_classes")


def test_missing_metadata(name):
    meta = MetadataCatalog.get(name)
    with pytest.raises(AttributeError):
        _ = meta.thing_classes
    assert meta.get("thing_classes") is None and meta.get("thing_classes", 3) == 3


def test_as_dict_is_a_copy():
    meta = Metadata(name="x", value=1)
    meta.as_dict()["value"] = 2
    assert meta.value == 1 and Metadata().name == "N/A"


def test_old_keys_lead_to_the_new_ones():
    meta = Metadata(name="x")
    meta.class_names = ["a"]
    assert meta.thing_classes == ["a"]
    assert Metadata(name="y", stuff_classes=["s"]).stuff_class_names == ["s"]
