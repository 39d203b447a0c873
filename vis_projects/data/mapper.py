"""Dataset dict -> model input: clips for training, lazily decoded videos for inference.

Letters: T frames of a clip or video, C, H, W size after the transform.
"""

from collections.abc import Callable, Mapping

import numpy as np
import torch
from detectron2.config import configurable
from detectron2.data import transforms as T
from detectron2.structures import Instances

from vis_projects.data.clip_transform import ClipAugmentation, ClipTransform
from vis_projects.data.errors import DatasetError
from vis_projects.data.frame_annotations import frame_instances, valid_frames
from vis_projects.data.frame_sampler import KeyReferenceSampler
from vis_projects.data.frame_transform import FrameTransform, image_to_tensor
from vis_projects.data.image_files import read_frame
from vis_projects.data.lazy_frames import LazyFrames
from vis_projects.data.pseudo_video import (
    MIN_VISIBLE_FRACTION,
    MIN_VISIBLE_PIXELS,
    RandomAffine,
    image_as_video,
    is_image_record,
)
from vis_projects.data.registry import VIS_MAPPER_REGISTRY
from vis_projects.data.support_sampler import KeySupportSampler

FrameSampler = Callable[..., dict[str, list[int]]]


@VIS_MAPPER_REGISTRY.register()
class VideoDatasetMapper:
    """Base of all mappers; a method usually overrides `build_frame_sampler` only.

    In training the input is a video record plus `key_frame`, or an image record, which becomes a clip of random views.
    All randomness comes from `rng_seed` of the input, so an item does not depend on the worker that makes it.
    """

    @configurable
    def __init__(
        self,
        is_train: bool,
        *,
        frame_sampler: FrameSampler,
        augmentation: ClipAugmentation,
        frame_transform: FrameTransform,
        random_affine: RandomAffine,
        image_format: str = "BGR",
    ):
        """
        Args:
            is_train: whether to make training clips or videos for inference.
            frame_sampler: picks the frames of a clip by role.
            augmentation: drawn once per training clip.
            frame_transform: resize at test time.
            random_affine: draws the views of an image record.
            image_format: channel order of all frames.
        """
        self.is_train = is_train
        self.frame_sampler = frame_sampler
        self.augmentation = augmentation
        self.frame_transform = frame_transform
        self.random_affine = random_affine
        self.image_format = image_format

    @classmethod
    def from_config(cls, cfg, is_train: bool) -> dict:
        """The arguments of the constructor from `INPUT` and `INPUT.VIDEO`."""
        return {
            "is_train": is_train,
            "frame_sampler": cls.build_frame_sampler(cfg),
            "augmentation": ClipAugmentation.from_cfg(cfg),
            "frame_transform": FrameTransform.from_cfg(cfg),
            "random_affine": RandomAffine.from_cfg(cfg),
            "image_format": cfg.INPUT.FORMAT,
        }

    @classmethod
    def build_frame_sampler(cls, cfg) -> FrameSampler:
        """Key and supports where `INPUT.VIDEO.NUM_SUPPORT_FRAMES` is positive, key and reference elsewhere."""
        video = cfg.INPUT.VIDEO
        if video.NUM_SUPPORT_FRAMES > 0:
            return KeySupportSampler(video.NUM_SUPPORT_FRAMES, video.SUPPORT_SAMPLING,
                                     max_gap_frames=video.REF_FRAME_RANGE)
        return KeyReferenceSampler(video.REF_FRAME_RANGE)

    def __call__(self, dataset_dict: Mapping) -> dict:
        """
        Args:
            dataset_dict: a record, which is not changed.

        Returns:
            in training `image` (T uint8 (C, H, W) tensors), `instances` (T `Instances` with `gt_boxes`, `gt_classes`,
            `gt_masks`, `gt_ids`, `gt_identities`), `roles`, `frame_indices`, `video_id`, `height`, `width`; for
            inference `image` (`LazyFrames`), `video_id`, `height`, `width`, `length`, `file_names`. Height and width
            are those of the original frames.

        Raises:
            DatasetError: for a frame that is missing, broken or of another size, and in training for a record without
                annotations.
        """
        return self._training_clip(dataset_dict) if self.is_train else self._whole_video(dataset_dict)

    def _whole_video(self, video: Mapping) -> dict:
        size = (video["height"], video["width"])
        item = {key: video[key] for key in ("video_id", "height", "width", "length", "file_names")}
        item["image"] = LazyFrames(video["file_names"], self.frame_transform, video_id=video["video_id"], size=size)
        return item

    def _training_clip(self, record: Mapping) -> dict:
        from_image = is_image_record(record)
        video = {**image_as_video(record), "key_frame": 0} if from_image else record
        if "annotations" not in video:
            raise DatasetError(
                f"video {video['video_id']} ({video['file_names'][0]}, ...) has no annotations. Remedy: train on a "
                "split that has ground truth; DATASETS.TRAIN names one without."
            )
        rng = item_rng(record)
        height, width = video["height"], video["width"]
        roles, frames = self._draw_frames(video, rng)
        drawn = self.augmentation.draw(height, width, len(frames), rng)
        images, instances = [], []
        for position, frame in enumerate(frames):
            view = None
            if from_image and position > 0:
                view = self.random_affine.draw(height, width, rng)
            image = read_frame(
                video["file_names"][frame], self.image_format, video_id=video["video_id"], size=(height, width)
            )
            image = drawn.apply_image(image if view is None else view.apply_image(image), position)
            images.append(image_to_tensor(image))
            instances.append(_instances(video["annotations"][frame], drawn, view, (height, width)))
        return {
            "image": images,
            "instances": instances,
            "roles": roles,
            "frame_indices": list(range(len(frames))) if from_image else frames,
            "video_id": video["video_id"],
            "height": height,
            "width": width,
        }

    def _draw_frames(self, video: Mapping, rng: np.random.Generator) -> tuple[list[str], list[int]]:
        """(role, frame index) of each frame of the clip."""
        by_role = self.frame_sampler(
            video["length"], video["key_frame"], rng, valid=valid_frames(video["annotations"])
        )
        pairs = [(role, frame) for role, frames in by_role.items() for frame in frames]
        return [role for role, _ in pairs], [frame for _, frame in pairs]


def item_rng(record: Mapping) -> np.random.Generator:
    """The generator of one training item: from its `rng_seed`, or from numpy's global state where it has none."""
    seed = record.get("rng_seed")
    return np.random.default_rng(np.random.randint(0, 2**31, size=4) if seed is None else seed)


def _instances(
    annotations: list[dict], drawn: ClipTransform, view: T.Transform | None, size: tuple[int, int]
) -> Instances:
    """The objects of one frame under the clip's transform, seen through `view` first where there is one."""
    if view is None:
        return frame_instances(annotations, drawn.geometry, size, boxes_from_masks=drawn.crops)
    return frame_instances(
        annotations, T.TransformList([view, drawn.geometry]), size, boxes_from_masks=True,
        min_visible_fraction=MIN_VISIBLE_FRACTION, min_visible_pixels=MIN_VISIBLE_PIXELS,
    )
