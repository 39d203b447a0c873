"""Functions from which a dataset mapper is made: images, annotations, and the usual augmentations."""

from typing import Union

import numpy as np
import torch
from fvcore.transforms.transform import CropTransform

from detectron2._impl.placeholders import placeholder_getattr
from detectron2.structures import Boxes, BoxMode, Instances

from . import transforms as T
from ._impl.annotations import (
    annotations_to_instances,
    filter_empty_instances,
    get_bbox,
    transform_instance_annotations,
    transform_keypoint_annotations,
)
from ._impl.image_io import _apply_exif_orientation, convert_image_to_rgb, convert_PIL_to_numpy, read_image
from .catalog import MetadataCatalog

__all__ = [
    "SizeMismatchError",
    "annotations_to_instances",
    "build_augmentation",
    "build_transform_gen",
    "check_image_size",
    "check_metadata_consistency",
    "convert_PIL_to_numpy",
    "convert_image_to_rgb",
    "create_keypoint_hflip_indices",
    "filter_empty_instances",
    "gen_crop_transform_with_instance",
    "get_bbox",
    "read_image",
    "transform_instance_annotations",
    "transform_keypoint_annotations",
    "transform_proposals",
]

__getattr__ = placeholder_getattr(__name__, ("annotations_to_instances_rotated", "get_fed_loss_cls_weights"))


class SizeMismatchError(ValueError):
    """An image has another size than its record says."""


def check_image_size(dataset_dict, image):
    """Compare the size of an image with its record, and fill it in where the record has none.

    Args:
        dataset_dict: record; "width" and "height" are set if missing.
        image: array (H, W, ...).

    Raises:
        SizeMismatchError: they differ.
    """
    h, w = image.shape[:2]
    if "width" in dataset_dict or "height" in dataset_dict:
        expected = (dataset_dict["width"], dataset_dict["height"])
        if (w, h) != expected:
            where = f" {dataset_dict['file_name']!r}" if "file_name" in dataset_dict else ""
            raise SizeMismatchError(
                f"the image{where} has (width, height) = {(w, h)}, its record says {expected}; "
                "correct the annotation file, or check whether the image carries an EXIF orientation"
            )
    dataset_dict.setdefault("width", w)
    dataset_dict.setdefault("height", h)


def transform_proposals(dataset_dict, image_shape, transforms, *, proposal_topk, min_box_size=0):
    """Turn the precomputed proposals of a record into Instances, in place.

    Args:
        dataset_dict: record; "proposal_boxes" (N, 4), "proposal_bbox_mode", "proposal_objectness_logits" (N,) and
            are replaced by "proposals". Without proposals nothing happens.
        image_shape: (h, w) in pixels after the transforms.
        transforms: of the image.
        proposal_topk: how many to keep; they are taken as sorted by score.
        min_box_size: sides up to this many pixels are dropped.
    """
    if "proposal_boxes" not in dataset_dict:
        return
    mode = dataset_dict.pop("proposal_bbox_mode")
    given = BoxMode.convert(dataset_dict.pop("proposal_boxes"), mode, BoxMode.XYXY_ABS)
    boxes = Boxes(transforms.apply_box(given))
    logits = torch.as_tensor(dataset_dict.pop("proposal_objectness_logits").astype("float32"))
    boxes.clip(image_shape)
    keep = boxes.nonempty(threshold=min_box_size)
    proposals = Instances(image_shape)
    proposals.proposal_boxes = boxes[keep][:proposal_topk]
    proposals.objectness_logits = logits[keep][:proposal_topk]
    dataset_dict["proposals"] = proposals


def create_keypoint_hflip_indices(dataset_names: Union[str, list[str]]) -> list[int]:
    """Return for each keypoint the one whose place it takes in a mirrored image.

    Args:
        dataset_names: data sets whose metadata agree in keypoint_names and keypoint_flip_map (ValueError).
    """
    names = [dataset_names] if isinstance(dataset_names, str) else dataset_names
    check_metadata_consistency("keypoint_names", names)
    check_metadata_consistency("keypoint_flip_map", names)
    meta = MetadataCatalog.get(names[0])
    partner = dict(meta.keypoint_flip_map)
    partner.update({right: left for left, right in meta.keypoint_flip_map})
    keypoints = list(meta.keypoint_names)
    return [keypoints.index(partner.get(name, name)) for name in keypoints]


def gen_crop_transform_with_instance(crop_size, image_size, instance):
    """Choose at random a crop that contains the centre of an object.

    Args:
        crop_size: (h, w) in pixels.
        image_size: (h, w) in pixels.
        instance: annotation with "bbox" and "bbox_mode".

    Returns:
        CropTransform.

    Raises:
        AssertionError: the centre lies outside the image, or the crop is larger than the image.
    """
    crop, image = np.asarray(crop_size, dtype=np.int32), np.asarray(image_size)
    x0, y0, x1, y1 = get_bbox(instance)
    center = np.array([(y0 + y1) * 0.5, (x0 + x1) * 0.5])
    assert np.all(
        image >= center
    ), f"the box {instance['bbox']} has its centre outside the image of (h, w) = {tuple(image_size)}"
    assert np.all(image >= crop), f"the crop of {tuple(crop_size)} is larger than the image of {tuple(image_size)}"
    first = np.maximum(np.floor(center).astype(np.int32) - crop, 0)
    last = np.minimum(np.maximum(image - crop, 0), np.ceil(center).astype(np.int32))
    top = np.random.randint(first[0], last[0] + 1)
    left = np.random.randint(first[1], last[1] + 1)
    return CropTransform(left, top, int(crop[1]), int(crop[0]))


def check_metadata_consistency(key, dataset_names):
    """Check that data sets agree in one piece of metadata.

    Args:
        key: name of the metadata.
        dataset_names: names, any number.

    Raises:
        AttributeError: one of them does not have it.
        ValueError: they differ.
    """
    values = [getattr(MetadataCatalog.get(name), key) for name in dataset_names]
    for name, value in zip(dataset_names, values):
        if value != values[0]:
            raise ValueError(
                f"metadata {key!r} of data set {dataset_names[0]!r} is {values[0]!r}, of {name!r} {value!r}; "
                "data sets that are used together must agree"
            )


def build_augmentation(cfg, is_train):
    """Return the usual augmentations of a config: the size, and in training the flip.

    Args:
        cfg: reads INPUT.{MIN,MAX}_SIZE_{TRAIN,TEST}, MIN_SIZE_TRAIN_SAMPLING and RANDOM_FLIP.
        is_train: for training or testing.
    """
    if not is_train:
        return [T.ResizeShortestEdge(cfg.INPUT.MIN_SIZE_TEST, cfg.INPUT.MAX_SIZE_TEST, "choice")]
    augs = [T.ResizeShortestEdge(cfg.INPUT.MIN_SIZE_TRAIN, cfg.INPUT.MAX_SIZE_TRAIN, cfg.INPUT.MIN_SIZE_TRAIN_SAMPLING)]
    if cfg.INPUT.RANDOM_FLIP != "none":
        direction = cfg.INPUT.RANDOM_FLIP
        augs.append(T.RandomFlip(horizontal=direction == "horizontal", vertical=direction == "vertical"))
    return augs


build_transform_gen = build_augmentation
