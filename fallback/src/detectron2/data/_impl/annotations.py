"""Annotations of one image: transformed with it, and put together into ``Instances``."""

import numpy as np
import pycocotools.mask as mask_util
import torch
from fvcore.transforms.transform import HFlipTransform, TransformList

from detectron2.structures import BitMasks, Boxes, BoxMode, Instances, Keypoints, PolygonMasks, polygons_to_bitmask


def get_bbox(annotation):
    """Return the box of an annotation, which may lack one, as an XYXY array."""
    return BoxMode.convert(annotation["bbox"], annotation["bbox_mode"], BoxMode.XYXY_ABS)


def transform_instance_annotations(annotation, transforms, image_size, *, keypoint_hflip_indices=None):
    """Apply the transforms of an image to one annotation, in place.

    Args:
        annotation: dict with "bbox" and "bbox_mode", and where there is one "segmentation" (polygons or RLE) and
            "keypoints".
        transforms: a Transform, or a list of them.
        image_size: (h, w) in pixels after the transforms.
        keypoint_hflip_indices: see ``create_keypoint_hflip_indices``.

    Returns:
        the annotation: box XYXY within the image, polygons as float arrays, RLE as a bool-like array (h, w),
        keypoints as an array (K, 3).

    Raises:
        ValueError: a segmentation that is neither polygons nor RLE.
    """
    if isinstance(transforms, (tuple, list)):
        transforms = TransformList(transforms)
    h, w = image_size
    box = transforms.apply_box(np.array([get_bbox(annotation)]))[0]
    annotation["bbox"] = np.minimum(box.clip(min=0), [w, h, w, h])
    annotation["bbox_mode"] = BoxMode.XYXY_ABS
    if "segmentation" in annotation:
        annotation["segmentation"] = _transform_segmentation(annotation["segmentation"], transforms, image_size)
    if "keypoints" in annotation:
        annotation["keypoints"] = transform_keypoint_annotations(
            annotation["keypoints"], transforms, image_size, keypoint_hflip_indices
        )
    return annotation


def _transform_segmentation(segm, transforms, image_size):
    if isinstance(segm, list):
        corners = [np.asarray(polygon).reshape(-1, 2) for polygon in segm]
        return [polygon.reshape(-1) for polygon in transforms.apply_polygons(corners)]
    if isinstance(segm, dict):
        mask = transforms.apply_segmentation(mask_util.decode(segm))
        assert mask.shape[:2] == tuple(
            image_size
        ), f"the mask has the shape {mask.shape} after the transforms, the image {tuple(image_size)}"
        return mask
    raise ValueError(f"a segmentation is a list of polygons or an RLE dict to be transformed, not {type(segm)}")


def transform_keypoint_annotations(keypoints, transforms, image_size, keypoint_hflip_indices=None):
    """Apply the transforms of an image to the keypoints of one object.

    Args:
        keypoints: 3 * K numbers x, y, visibility.
        transforms: TransformList.
        image_size: (h, w) in pixels after the transforms.
        keypoint_hflip_indices: for each keypoint the one whose place it takes in a mirrored image.

    Returns:
        float64 array (K, 3); keypoints without a label (visibility 0) or outside the image are all zeros.

    Raises:
        ValueError: indices for another number of keypoints, or none for a flip.
    """
    points = np.asarray(keypoints, dtype="float64").reshape(-1, 3)
    places = transforms.apply_coords(points[:, :2])
    h, w = image_size
    inside = np.all((places >= 0) & (places <= np.array([w, h])), axis=1)
    points[:, :2] = places
    points[:, 2][~inside] = 0
    flips = sum(isinstance(tfm, HFlipTransform) for tfm in transforms.transforms)
    if flips % 2 == 1:
        if keypoint_hflip_indices is None:
            raise ValueError("keypoints in a flipped image need keypoint_hflip_indices")
        if len(points) != len(keypoint_hflip_indices):
            raise ValueError(
                f"{len(points)} keypoints do not fit the {len(keypoint_hflip_indices)} indices for flipping; "
                "check the metadata of the data set"
            )
        points = points[np.asarray(keypoint_hflip_indices, dtype=np.int32), :]
    points[points[:, 2] == 0] = 0
    return points


def annotations_to_instances(annos, image_size, mask_format="polygon"):
    """Put the transformed annotations of one image into Instances.

    Args:
        annos: dicts with "bbox", "bbox_mode", "category_id"; the first decides whether there are "segmentation" and
            "keypoints".
        image_size: (h, w) in pixels.
        mask_format: "polygon" or "bitmask".

    Returns:
        Instances with gt_boxes, gt_classes (int64), gt_masks and gt_keypoints where there are such.

    Raises:
        ValueError: a segmentation that does not fit the mask format.
        AssertionError: unknown mask format, or a mask that is not two-dimensional.
    """
    boxes = np.stack([get_bbox(anno) for anno in annos]) if annos else np.zeros((0, 4))
    target = Instances(image_size)
    target.gt_boxes = Boxes(boxes)
    target.gt_classes = torch.tensor([int(anno["category_id"]) for anno in annos], dtype=torch.int64)
    if annos and "segmentation" in annos[0]:
        segments = [anno["segmentation"] for anno in annos]
        target.gt_masks = (
            _polygon_masks(segments) if mask_format == "polygon" else _bit_masks(segments, image_size, mask_format)
        )
    if annos and "keypoints" in annos[0]:
        target.gt_keypoints = Keypoints([anno.get("keypoints", []) for anno in annos])
    return target


def _polygon_masks(segments) -> PolygonMasks:
    try:
        return PolygonMasks(segments)
    except ValueError as error:
        raise ValueError(
            "a segmentation is not a list of polygons; set INPUT.MASK_FORMAT = 'bitmask' to read RLE as well"
        ) from error


def _bit_masks(segments, image_size, mask_format: str) -> BitMasks:
    assert mask_format == "bitmask", f"mask_format is 'polygon' or 'bitmask', not {mask_format!r}"
    masks = []
    for segm in segments:
        if isinstance(segm, list):
            mask = polygons_to_bitmask(segm, *image_size)
        elif isinstance(segm, dict):
            mask = mask_util.decode(segm)
        elif isinstance(segm, np.ndarray):
            assert segm.ndim == 2, f"a mask has two dimensions, not the shape {segm.shape}"
            mask = segm
        else:
            raise ValueError(f"a segmentation is a list of polygons, an RLE dict or an array (h, w), not {type(segm)}")
        masks.append(torch.from_numpy(np.ascontiguousarray(mask)))
    return BitMasks(torch.stack(masks))


def filter_empty_instances(instances, by_box=True, by_mask=True, box_threshold=1e-5, return_mask=False):
    """Drop instances with an empty box or mask.

    Args:
        instances: Instances with gt_boxes, and gt_masks if masks are to count.
        by_box, by_mask: what to look at, at least one (AssertionError).
        box_threshold: sides up to this many pixels are empty.
        return_mask: return also the bool tensor (N,) of those that stay.
    """
    assert by_box or by_mask, "set at least one of by_box and by_mask"
    checks = []
    if by_box:
        checks.append(instances.gt_boxes.nonempty(threshold=box_threshold))
    if by_mask and instances.has("gt_masks"):
        checks.append(instances.gt_masks.nonempty())
    if not checks:
        return instances
    keep = torch.stack([check.to(checks[0].device) for check in checks]).all(dim=0)
    return (instances[keep], keep) if return_mask else instances[keep]
