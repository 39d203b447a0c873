"""``DatasetMapper``: turns the record of one image into the input of a model."""

import copy
import logging
from typing import Optional, Union

import numpy as np
import torch

from detectron2.config import configurable

from . import detection_utils as utils
from . import transforms as T

__all__ = ["DatasetMapper"]


class DatasetMapper:
    """Reads the image of a record, augments it with its annotations, and makes tensors of them.

    Args:
        is_train: whether the annotations are kept.
        augmentations: augmentations or transforms, applied in turn.
        image_format: see ``detection_utils.read_image``.
        use_instance_mask: keep segmentations.
        use_keypoint: keep keypoints.
        instance_mask_format: "polygon" or "bitmask".
        keypoint_hflip_indices: see ``detection_utils.create_keypoint_hflip_indices``.
        precomputed_proposal_topk: load this many precomputed proposals.
        recompute_boxes: take the boxes from the masks after the augmentations; needs masks (AssertionError).
    """

    @configurable
    def __init__(
        self, is_train: bool, *, augmentations: list[Union[T.Augmentation, T.Transform]], image_format: str,
        use_instance_mask: bool = False, use_keypoint: bool = False, instance_mask_format: str = "polygon",
        keypoint_hflip_indices: Optional[np.ndarray] = None, precomputed_proposal_topk: Optional[int] = None,
        recompute_boxes: bool = False,
    ):
        assert use_instance_mask or not recompute_boxes, "recompute_boxes needs use_instance_mask"
        self.is_train = is_train
        self.augmentations = T.AugmentationList(augmentations)
        self.image_format = image_format
        self.use_instance_mask = use_instance_mask
        self.instance_mask_format = instance_mask_format
        self.use_keypoint = use_keypoint
        self.keypoint_hflip_indices = keypoint_hflip_indices
        self.proposal_topk = precomputed_proposal_topk
        self.recompute_boxes = recompute_boxes
        purpose = "training" if is_train else "inference"
        logging.getLogger(__name__).info("Augmentations in %s: %s", purpose, augmentations)

    @classmethod
    def from_config(cls, cfg, is_train: bool = True):
        augs = utils.build_augmentation(cfg, is_train)
        cropped = is_train and cfg.INPUT.CROP.ENABLED
        if cropped:
            augs.insert(0, T.RandomCrop(cfg.INPUT.CROP.TYPE, cfg.INPUT.CROP.SIZE))
        args = {
            "is_train": is_train,
            "augmentations": augs,
            "image_format": cfg.INPUT.FORMAT,
            "use_instance_mask": cfg.MODEL.MASK_ON,
            "use_keypoint": cfg.MODEL.KEYPOINT_ON,
            "instance_mask_format": cfg.INPUT.MASK_FORMAT,
            # A box that the crop cuts is larger than what is left of its object.
            "recompute_boxes": cropped and cfg.MODEL.MASK_ON,
        }
        if cfg.MODEL.KEYPOINT_ON:
            args["keypoint_hflip_indices"] = utils.create_keypoint_hflip_indices(cfg.DATASETS.TRAIN)
        if cfg.MODEL.LOAD_PROPOSALS:
            split = "TRAIN" if is_train else "TEST"
            args["precomputed_proposal_topk"] = cfg.DATASETS[f"PRECOMPUTED_PROPOSAL_TOPK_{split}"]
        return args

    def __call__(self, dataset_dict):
        """Map one record.

        Args:
            dataset_dict: record of an image; it is not changed.

        Returns:
            the record with "image" (uint8 tensor (C, H, W)), and in training "instances" in place of "annotations";
            "sem_seg" (int64 tensor (H, W)) in place of "sem_seg_file_name".

        Raises:
            detection_utils.SizeMismatchError: the file has another size than the record says.
        """
        dataset_dict = copy.deepcopy(dataset_dict)
        image = utils.read_image(dataset_dict["file_name"], format=self.image_format)
        utils.check_image_size(dataset_dict, image)
        labels = None
        if "sem_seg_file_name" in dataset_dict:
            labels = utils.read_image(dataset_dict.pop("sem_seg_file_name"), "L").squeeze(2)
        aug_input = T.AugInput(image, sem_seg=labels)
        transforms = self.augmentations(aug_input)
        image_shape = aug_input.image.shape[:2]
        # PyTorch takes the channels first, and no negative strides.
        dataset_dict["image"] = torch.as_tensor(np.ascontiguousarray(aug_input.image.transpose(2, 0, 1)))
        if aug_input.sem_seg is not None:
            dataset_dict["sem_seg"] = torch.as_tensor(aug_input.sem_seg.astype("long"))
        if self.proposal_topk is not None:
            utils.transform_proposals(dataset_dict, image_shape, transforms, proposal_topk=self.proposal_topk)
        if not self.is_train:
            dataset_dict.pop("annotations", None)
        elif "annotations" in dataset_dict:
            self._transform_annotations(dataset_dict, transforms, image_shape)
        return dataset_dict

    def _transform_annotations(self, dataset_dict, transforms, image_shape):
        """Replace the "annotations" of a record by "instances"; crowds and what became empty are left out."""
        unused = [] if self.use_instance_mask else ["segmentation"]
        if not self.use_keypoint:
            unused.append("keypoints")
        annos = []
        for anno in dataset_dict.pop("annotations"):
            for key in unused:
                anno.pop(key, None)
            if anno.get("iscrowd", 0) == 0:
                annos.append(
                    utils.transform_instance_annotations(
                        anno, transforms, image_shape, keypoint_hflip_indices=self.keypoint_hflip_indices
                    )
                )
        instances = utils.annotations_to_instances(annos, image_shape, mask_format=self.instance_mask_format)
        if self.recompute_boxes:
            instances.gt_boxes = instances.gt_masks.get_bounding_boxes()
        dataset_dict["instances"] = utils.filter_empty_instances(instances)
