"""Annotations of one frame -> `Instances`; only objects present in the frame have a row.

Letters: N objects, H, W size after the transform. Boxes are xyxy in absolute pixels.
"""

from collections.abc import Mapping, Sequence

import numpy as np
import torch
from detectron2.data import transforms as T
from detectron2.structures import BitMasks, Boxes, BoxMode, Instances
from pycocotools import mask as coco_mask

from vis_projects.data.errors import DatasetError
from vis_projects.data.identities import NO_IDENTITY
from vis_projects.layers import rle_decode


def frame_instances(
    annotations: Sequence[Mapping],
    geometry: T.Transform,
    size: tuple[int, int],
    *,
    boxes_from_masks: bool = False,
    min_visible_fraction: float = 0.0,
    min_visible_pixels: int = 0,
) -> Instances:
    """Decodes, transforms and collects the objects of one frame; crowd objects get no row.

    Args:
        annotations: dicts with `id`, `bbox`, `bbox_mode`, `category_id`, `segmentation`, `iscrowd` and, in training,
            `identity` of `number_identities`.
        geometry: transform from the original frame to the one that the model sees.
        size: (height, width) of the original frame.
        boxes_from_masks: whether boxes are those of the transformed masks instead of the transformed boxes; needed
            where the transform may cut or turn objects.
        min_visible_fraction: objects that keep less of their area, after the change of scale, get no row.
        min_visible_pixels: objects that lose a part and keep fewer pixels than this get no row.

    Returns:
        `gt_boxes` (N, 4) float32, `gt_classes` int64, `gt_masks` BitMasks (N, H, W), `gt_ids` int64 and
        `gt_identities` int64, -1 where unknown; objects without a pixel or with an empty box after the transform get no
        row.
    """
    annotations = [annotation for annotation in annotations if not annotation.get("iscrowd", 0)]
    originals = _decode(annotations, size)
    masks = [geometry.apply_segmentation(mask) for mask in originals]
    new_size = (masks[0] if masks else geometry.apply_segmentation(np.zeros(size, dtype=np.uint8))).shape[:2]
    stacked = np.stack(masks) if masks else np.zeros((0, *new_size), dtype=np.uint8)
    gt_masks = BitMasks(torch.from_numpy(np.ascontiguousarray(stacked)).bool())
    if boxes_from_masks and masks:
        gt_boxes = gt_masks.get_bounding_boxes()
    else:
        gt_boxes = Boxes(_boxes(annotations, geometry))
        gt_boxes.clip(new_size)
    instances = Instances(new_size)
    instances.gt_boxes = gt_boxes
    instances.gt_classes = torch.tensor([a["category_id"] for a in annotations], dtype=torch.int64)
    instances.gt_masks = gt_masks
    instances.gt_ids = torch.tensor([a["id"] for a in annotations], dtype=torch.int64)
    instances.gt_identities = torch.tensor([a.get("identity", NO_IDENTITY) for a in annotations], dtype=torch.int64)
    areas = gt_masks.tensor.flatten(1).sum(1)
    # the area of each object if nothing of it were cut off: its own area times the change of scale
    whole = torch.tensor([float(mask.sum()) for mask in originals]) * _area_scale(geometry)
    enough = whole.clamp(max=min_visible_pixels)
    visible = (areas > 0) & (areas >= enough) & (areas >= min_visible_fraction * whole)
    return instances[visible & gt_boxes.nonempty()]


def valid_frames(annotations: Sequence[Sequence[Mapping]]) -> list[int]:
    """Frames of a video with at least one object that is not a crowd."""
    return [t for t, frame in enumerate(annotations) if any(not a.get("iscrowd", 0) for a in frame)]


def _decode(annotations: Sequence[Mapping], size: tuple[int, int]) -> list[np.ndarray]:
    """uint8 (H, W) mask of each object at the original size."""
    rles = []
    for annotation in annotations:
        mask = annotation.get("segmentation")
        if not mask:
            raise DatasetError(
                f"annotation {annotation['id']} (category {annotation['category_id']}) has no segmentation. Remedy: "
                "instance segmentation needs a polygon or an RLE for every object; drop box-only annotations."
            )
        rles.append(mask if isinstance(mask, Mapping) else coco_mask.merge(coco_mask.frPyObjects(mask, *size)))
        if list(rles[-1]["size"]) != list(size):
            raise DatasetError(
                f"annotation {annotation['id']} has a mask of size {list(rles[-1]['size'])}, its frame has "
                f"{list(size)}. Remedy: encode the mask at the size of the frames."
            )
    return list(rle_decode(rles).numpy().astype(np.uint8)) if rles else []


def _boxes(annotations: Sequence[Mapping], geometry: T.Transform) -> torch.Tensor:
    """(N, 4) float32 xyxy boxes after the transform."""
    if not annotations:
        return torch.zeros(0, 4)
    boxes = [BoxMode.convert(list(a["bbox"]), a["bbox_mode"], BoxMode.XYXY_ABS) for a in annotations]
    return torch.from_numpy(geometry.apply_box(np.array(boxes, dtype=np.float64)).astype(np.float32))


def _area_scale(geometry: T.Transform) -> float:
    """Area of a unit square after an affine transform."""
    corners = geometry.apply_coords(np.array([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0]]))
    return float(abs(np.linalg.det(corners[1:] - corners[0])))
