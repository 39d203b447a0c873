"""Reading COCO's json."""

import json

import numpy as np
import pycocotools.mask as mask_util
import pytest
from detectron2.data import DatasetCatalog, MetadataCatalog
from detectron2.data.datasets.coco import load_coco_json, register_coco_instances
from detectron2.data.datasets.register_coco import register_coco_instances as same_function
from detectron2.structures import BoxMode

POLYGON = [1.0, 1.0, 5.0, 1.0, 5.0, 5.0]


@pytest.fixture
def write(tmp_path):
    def write_json(annotations, categories=((3, "cat"), (7, "dog")), name="annotations.json"):
        content = {
            "images": [{"id": i, "file_name": f"{i}.jpg", "height": 8, "width": 9} for i in (5, 2)],
            "annotations": annotations,
            "categories": [{"id": i, "name": n} for i, n in categories],
        }
        path = tmp_path / name
        path.write_text(json.dumps(content))
        return str(path)

    yield write_json
    for catalog in (DatasetCatalog, MetadataCatalog):
        for name in [name for name in catalog.list() if name.startswith("coco_test")]:
            catalog.remove(name)


def annotation(number, **changes):
    fields = {"id": number, "image_id": 5, "category_id": 7, "bbox": [1, 1, 4, 4], "iscrowd": 0, "area": 16}
    return {**fields, "segmentation": [POLYGON], **changes}


def objects(path, name=None, **kwargs):
    """Annotations of image 5."""
    return load_coco_json(path, "images", name, **kwargs)[1]["annotations"]


def test_images_without_annotations(write):
    records = load_coco_json(write([]), "images")
    assert [r["image_id"] for r in records] == [2, 5]  # by id
    assert records[0] == {"file_name": "images/2.jpg", "height": 8, "width": 9, "image_id": 2, "annotations": []}


def test_class_numbers_are_contiguous_with_a_name(write):
    path = write([annotation(1), annotation(2, category_id=3)])
    assert [o["category_id"] for o in objects(path)] == [7, 3]
    assert [o["category_id"] for o in objects(path, "coco_test")] == [1, 0]
    meta = MetadataCatalog.get("coco_test")
    assert meta.thing_classes == ["cat", "dog"]
    assert meta.thing_dataset_id_to_contiguous_id == {3: 0, 7: 1}


def test_an_object(write):
    (obj,) = objects(write([annotation(1, score=0.5)]), extra_annotation_keys=["score", "absent"])
    assert obj == {
        "iscrowd": 0,
        "bbox": [1, 1, 4, 4],
        "category_id": 7,
        "score": 0.5,
        "segmentation": [POLYGON],
        "bbox_mode": BoxMode.XYWH_ABS,
    }


def test_polygons_of_less_than_three_points_are_dropped(write):
    path = write([annotation(1, segmentation=[[1, 2, 3, 4]]), annotation(2, segmentation=[POLYGON, [1, 2, 3]])])
    assert [o["segmentation"] for o in objects(path)] == [[POLYGON]]


def test_run_lengths_are_compressed(write):
    # column-major: 9 zeros, 3 ones, the rest zeros
    rle = {"size": [8, 9], "counts": [9, 3, 60]}
    (obj,) = objects(write([annotation(1, segmentation=rle, iscrowd=1)]))
    mask = mask_util.decode(obj["segmentation"])
    expected = np.zeros(72, np.uint8)
    expected[9:12] = 1
    assert np.array_equal(mask, expected.reshape(9, 8).T) and obj["iscrowd"] == 1


def test_keypoints_move_by_half_a_pixel(write):
    (obj,) = objects(write([annotation(1, keypoints=[1, 2, 2, 0, 0, 0])]))
    assert obj["keypoints"] == [1.5, 2.5, 2, 0.5, 0.5, 0]


@pytest.mark.parametrize(
    "annotations, error",
    [
        ([annotation(1, bbox=[])], ValueError),
        ([annotation(1, category_id=4)], KeyError),
        ([annotation(1), annotation(1, image_id=2)], AssertionError),
        ([annotation(1, ignore=1)], AssertionError),
    ],
    ids=["empty box", "unknown class", "equal ids", "ignored"],
)
def test_faults_of_the_file(write, annotations, error):
    with pytest.raises(error):
        load_coco_json(write(annotations), "images", "coco_test_faults")


def test_registered_data_are_read_when_asked_for(write, tmp_path):
    assert same_function is register_coco_instances
    register_coco_instances("coco_test_late", {"extra": 1}, str(tmp_path / "late.json"), "images")
    meta = MetadataCatalog.get("coco_test_late")
    assert (meta.evaluator_type, meta.image_root, meta.extra) == ("coco", "images", 1)
    write([annotation(1)], name="late.json")
    assert len(DatasetCatalog.get("coco_test_late")) == 2
    assert meta.thing_classes == ["cat", "dog"]


def test_registering_checks_its_arguments(tmp_path):
    for wrong in ((3, {}, "a.json", "images"), ("coco_test_w", {}, 3, "images"), ("coco_test_w", {}, "a.json", 3)):
        with pytest.raises(AssertionError):
            register_coco_instances(*wrong)
    assert "coco_test_w" not in DatasetCatalog
