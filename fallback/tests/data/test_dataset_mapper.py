"""From a record to the input of a model."""

import copy

import numpy as np
import pycocotools.mask as mask_util
import pytest
import torch
from detectron2.config import get_cfg
from detectron2.data import DatasetMapper
from detectron2.data import detection_utils as utils
from detectron2.data import transforms as T
from detectron2.structures import BitMasks, BoxMode, PolygonMasks
from PIL import Image

PIXELS = np.random.RandomState(0).randint(0, 256, (10, 12, 3)).astype(np.uint8)


@pytest.fixture
def record(tmp_path):
    Image.fromarray(PIXELS).save(tmp_path / "image.png")
    square = {"bbox": [2, 2, 4, 4], "bbox_mode": BoxMode.XYWH_ABS, "category_id": 1, "iscrowd": 0}
    polygon = [[2.0, 2, 6, 2, 6, 6, 2, 6]]
    return {
        "file_name": str(tmp_path / "image.png"),
        "image_id": 3,
        "annotations": [{**square, "segmentation": polygon}, {**square, "iscrowd": 1, "segmentation": polygon}],
    }


def test_image_is_channels_first_and_the_record_stays(record):
    before = copy.deepcopy(record)
    item = DatasetMapper(True, augmentations=[], image_format="BGR")(record)
    assert record == before
    assert item["image"].dtype == torch.uint8
    assert np.array_equal(item["image"].numpy(), PIXELS[:, :, ::-1].transpose(2, 0, 1))
    assert (item["width"], item["height"], item["image_id"]) == (12, 10, 3)


def test_crowds_and_masks_are_left_out(record):
    item = DatasetMapper(True, augmentations=[T.HFlipTransform(12)], image_format="RGB")(record)
    assert "annotations" not in item and not item["instances"].has("gt_masks")
    # x 2..6 of 12 becomes 6..10
    assert item["instances"].gt_boxes.tensor.tolist() == [[6, 2, 10, 6]]
    assert item["instances"].gt_classes.tolist() == [1]


@pytest.mark.parametrize("mask_format, kind", [("polygon", PolygonMasks), ("bitmask", BitMasks)])
def test_masks(record, mask_format, kind):
    mapper = DatasetMapper(
        True, augmentations=[], image_format="RGB", use_instance_mask=True, instance_mask_format=mask_format
    )
    assert isinstance(mapper(record)["instances"].gt_masks, kind)


def test_boxes_shrink_to_what_the_crop_left(record):
    arguments = {"augmentations": [T.CropTransform(0, 0, 4, 10)], "image_format": "RGB"}
    arguments |= {"use_instance_mask": True, "instance_mask_format": "bitmask"}
    # an L: a row of four pixels whose upright lies right of the crop
    mask = np.zeros((10, 12), np.uint8, order="F")
    mask[5, 2:6], mask[2:6, 5] = 1, 1
    record["annotations"][0]["segmentation"] = mask_util.encode(mask)
    kept = DatasetMapper(True, **arguments)(record)["instances"]
    assert kept.gt_boxes.tensor.tolist() == [[2, 2, 4, 6]]
    again = DatasetMapper(True, **arguments, recompute_boxes=True)(record)["instances"]
    assert again.gt_boxes.tensor.tolist() == [[2, 5, 4, 6]]
    with pytest.raises(AssertionError):
        DatasetMapper(True, augmentations=[], image_format="RGB", recompute_boxes=True)


def test_testing_leaves_annotations_out(record):
    item = DatasetMapper(False, augmentations=[], image_format="RGB")(record)
    assert "annotations" not in item and "instances" not in item


def test_record_without_objects(record):
    record["annotations"] = []
    assert len(DatasetMapper(True, augmentations=[], image_format="RGB")(record)["instances"]) == 0


def test_wrong_size_is_noticed(record):
    with pytest.raises(utils.SizeMismatchError):
        DatasetMapper(True, augmentations=[], image_format="RGB")({**record, "width": 10, "height": 12})


def test_labels_of_pixels(record, tmp_path):
    labels = np.arange(120).reshape(10, 12).astype(np.uint8)
    Image.fromarray(labels).save(tmp_path / "labels.png")
    record["sem_seg_file_name"] = str(tmp_path / "labels.png")
    item = DatasetMapper(True, augmentations=[T.HFlipTransform(12)], image_format="RGB")(record)
    assert item["sem_seg"].dtype == torch.int64 and np.array_equal(item["sem_seg"].numpy(), labels[:, ::-1])
    assert "sem_seg_file_name" not in item


def test_from_a_config(record):
    cfg = get_cfg()
    cfg.MODEL.MASK_ON = True
    cfg.INPUT.CROP.ENABLED = True
    cfg.INPUT.MASK_FORMAT = "bitmask"
    cfg.INPUT.MIN_SIZE_TRAIN = (20,)
    # as a mask: fvcore needs shapely to crop polygons
    mask = np.ones((10, 12), np.uint8, order="F")
    record["annotations"][0]["segmentation"] = mask_util.encode(mask)
    mapper = DatasetMapper(cfg, True)
    assert [type(aug) for aug in mapper.augmentations.augs] == [T.RandomCrop, T.ResizeShortestEdge, T.RandomFlip]
    assert mapper.recompute_boxes and mapper.use_instance_mask and mapper.image_format == "BGR"
    assert min(mapper(record)["image"].shape[1:]) == 20
    assert not DatasetMapper(cfg, False).recompute_boxes
    assert DatasetMapper(cfg, is_train=False, image_format="L").image_format == "L"
