"""Images, annotations and the usual augmentations."""

import numpy as np
import pycocotools.mask as mask_util
import pytest
import torch
from detectron2.config import get_cfg
from detectron2.data import MetadataCatalog
from detectron2.data import detection_utils as utils
from detectron2.data import transforms as T
from detectron2.structures import BitMasks, Boxes, BoxMode, Instances, PolygonMasks
from PIL import Image

PIXELS = np.random.RandomState(0).randint(0, 256, (4, 6, 3)).astype(np.uint8)


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "image.png"
    Image.fromarray(PIXELS).save(path)
    return str(path)


def anno(**changes):
    return {"bbox": [1.0, 1.0, 4.0, 3.0], "bbox_mode": BoxMode.XYXY_ABS, "category_id": 2, **changes}


def test_formats_of_images(file):
    assert np.array_equal(utils.read_image(file), PIXELS)
    assert np.array_equal(utils.read_image(file, "BGR"), PIXELS[:, :, ::-1])
    assert utils.read_image(file, "L").shape == (4, 6, 1)
    for name in ("RGB", "BGR", "YUV-BT.601"):
        back = utils.convert_image_to_rgb(utils.read_image(file, name), name)
        assert np.abs(back - PIXELS.astype(float)).max() < 0.1
    grey = torch.as_tensor(np.array(utils.read_image(file, "L")))
    assert utils.convert_image_to_rgb(grey, "L").shape == (4, 6, 3)


@pytest.mark.parametrize("orientation, upright", [(1, PIXELS), (3, PIXELS[::-1, ::-1]), (6, np.rot90(PIXELS, -1))])
def test_images_are_turned_upright(tmp_path, orientation, upright):
    exif = Image.Exif()
    exif[0x0112] = orientation
    Image.fromarray(PIXELS).save(tmp_path / "turned.png", exif=exif)
    assert np.array_equal(utils.read_image(str(tmp_path / "turned.png"), "RGB"), upright)


def test_size_of_a_record():
    record = {}
    utils.check_image_size(record, PIXELS)
    assert record == {"width": 6, "height": 4}
    with pytest.raises(utils.SizeMismatchError):
        utils.check_image_size({"width": 4, "height": 6}, PIXELS)
    assert issubclass(utils.SizeMismatchError, ValueError)


def test_boxes_and_polygons_are_transformed():
    obj = anno(bbox=[1, 1, 9, 2], bbox_mode=BoxMode.XYWH_ABS, segmentation=[[1.0, 1, 4, 1, 4, 3]])
    result = utils.transform_instance_annotations(obj, [T.HFlipTransform(6)], (4, 6))
    # x 1..10 is clipped to 6 after the flip to -4..5
    assert result["bbox"].tolist() == [0, 1, 5, 3] and result["bbox_mode"] == BoxMode.XYXY_ABS
    assert result["segmentation"][0].tolist() == [5, 1, 2, 1, 2, 3]


def test_run_lengths_become_masks():
    mask = np.zeros((4, 6), np.uint8)
    mask[1, 0] = 1
    obj = anno(segmentation=mask_util.encode(np.asfortranarray(mask)))
    result = utils.transform_instance_annotations(obj, T.TransformList([T.HFlipTransform(6)]), (4, 6))
    assert np.array_equal(result["segmentation"], mask[:, ::-1])
    with pytest.raises(ValueError):
        utils.transform_instance_annotations(anno(segmentation=mask), T.NoOpTransform(), (4, 6))


def test_keypoints_are_flipped_and_renamed():
    tfms = T.TransformList([T.HFlipTransform(6)])
    obj = anno(keypoints=[1, 1, 2, 2, 2, 1, 9, 1, 2])
    result = utils.transform_instance_annotations(obj, tfms, (4, 6), keypoint_hflip_indices=[1, 0, 2])
    # 0 and 1 change places; the third lies outside and is wiped out
    assert result["keypoints"].tolist() == [[4, 2, 1], [5, 1, 2], [0, 0, 0]]
    with pytest.raises(ValueError):
        utils.transform_instance_annotations(anno(keypoints=[1, 1, 2]), tfms, (4, 6))


def test_no_annotations_give_empty_instances():
    instances = utils.annotations_to_instances([], (4, 6))
    assert len(instances) == 0 and instances.image_size == (4, 6)
    assert instances.gt_classes.dtype == torch.int64 and not instances.has("gt_masks")


def test_instances_with_polygons_and_bitmasks():
    annos = [anno(segmentation=[[1.0, 1, 4, 1, 4, 3]]), anno(category_id=0, segmentation=[[0.0, 0, 2, 0, 2, 2]])]
    instances = utils.annotations_to_instances(annos, (4, 6))
    assert isinstance(instances.gt_masks, PolygonMasks) and instances.gt_classes.tolist() == [2, 0]
    annos[1]["segmentation"] = np.ones((4, 6), np.uint8)
    instances = utils.annotations_to_instances(annos, (4, 6), "bitmask")
    assert isinstance(instances.gt_masks, BitMasks) and instances.gt_masks.tensor[1].all()
    for wrong, mask_format in (("polygons", "bitmask"), (np.ones((4, 6)), "polygon")):
        with pytest.raises(ValueError):
            utils.annotations_to_instances([anno(segmentation=wrong)], (4, 6), mask_format)
    with pytest.raises(AssertionError):
        utils.annotations_to_instances(annos, (4, 6), "other")


def test_empty_instances_are_filtered():
    instances = Instances((9, 9))
    instances.gt_boxes = Boxes([[0, 0, 3, 3], [1, 1, 1, 5], [2, 2, 4, 4]])
    instances.gt_masks = BitMasks(torch.tensor([1, 1, 0]).bool().view(3, 1, 1).expand(3, 9, 9))
    assert len(utils.filter_empty_instances(instances)) == 1
    assert len(utils.filter_empty_instances(instances, by_mask=False)) == 2
    _, kept = utils.filter_empty_instances(instances, by_box=False, return_mask=True)
    assert kept.tolist() == [True, True, False]
    with pytest.raises(AssertionError):
        utils.filter_empty_instances(instances, by_box=False, by_mask=False)


def test_augmentations_of_a_config():
    cfg = get_cfg()
    assert [type(aug) for aug in utils.build_augmentation(cfg, True)] == [T.ResizeShortestEdge, T.RandomFlip]
    (resize,) = utils.build_augmentation(cfg, False)
    assert resize.short_edge_length == (800, 800) and resize.max_size == 1333
    cfg.INPUT.RANDOM_FLIP = "vertical"
    assert utils.build_augmentation(cfg, True)[1].vertical
    cfg.INPUT.RANDOM_FLIP = "none"
    assert len(utils.build_augmentation(cfg, True)) == 1


@pytest.mark.parametrize("seed", range(5))
def test_crop_holds_the_centre_of_the_object(seed):
    np.random.seed(seed)
    obj = anno(bbox=[20, 10, 30, 14])  # centre (25, 12)
    crop = utils.gen_crop_transform_with_instance((6, 8), (24, 36), obj)
    assert (crop.h, crop.w) == (6, 8)
    assert crop.x0 <= 25 <= crop.x0 + 8 and crop.y0 <= 12 <= crop.y0 + 6
    assert 0 <= crop.x0 <= 36 - 8 and 0 <= crop.y0 <= 24 - 6


def test_crop_around_an_object_needs_room():
    with pytest.raises(AssertionError):
        utils.gen_crop_transform_with_instance((30, 8), (24, 36), anno())
    with pytest.raises(AssertionError):
        utils.gen_crop_transform_with_instance((6, 8), (24, 36), anno(bbox=[90, 90, 99, 99]))


def test_metadata_of_data_sets_agree():
    MetadataCatalog.get("utils_a").set(classes=["x"])
    MetadataCatalog.get("utils_b").set(classes=["x"])
    MetadataCatalog.get("utils_c").set(classes=["y"])
    assert utils.check_metadata_consistency("classes", ["utils_a", "utils_b"]) is None
    with pytest.raises(ValueError):
        utils.check_metadata_consistency("classes", ["utils_a", "utils_c"])
    with pytest.raises(AttributeError):
        utils.check_metadata_consistency("absent", ["utils_a"])


def test_flip_indices_of_keypoints():
    MetadataCatalog.get("utils_keypoints").set(
        keypoint_names=["nose", "left", "right"], keypoint_flip_map=[("left", "right")]
    )
    assert list(utils.create_keypoint_hflip_indices("utils_keypoints")) == [0, 2, 1]


def test_proposals_follow_the_image():
    record = {
        "proposal_boxes": np.array([[0.0, 0, 2, 2], [1, 1, 1, 3], [2, 0, 99, 3]]),
        "proposal_bbox_mode": BoxMode.XYXY_ABS,
        "proposal_objectness_logits": np.array([3.0, 2.0, 1.0]),
    }
    utils.transform_proposals(record, (4, 6), T.HFlipTransform(6), proposal_topk=2)
    # the second has no width and falls out; the third is clipped
    assert record["proposals"].proposal_boxes.tensor.tolist() == [[4, 0, 6, 2], [0, 0, 4, 3]]
    assert record["proposals"].objectness_logits.tolist() == [3, 1]
