"""The video data path: YouTube-VIS json -> records -> clips or lazily decoded videos -> loaders.

Importing this room registers the built-in splits.
"""

from vis_projects.data import builtin  # registers the built-in splits
from vis_projects.data.check import check_dataset, dataset_notes
from vis_projects.data.clip_batch_sampler import ClipBatchSampler
from vis_projects.data.clip_transform import ClipAugmentation, ClipTransform
from vis_projects.data.errors import DatasetError
from vis_projects.data.faults import Fault
from vis_projects.data.frame_sampler import KeyReferenceSampler, KeySampler
from vis_projects.data.frame_transform import FrameTransform
from vis_projects.data.image_files import verify_images_exist
from vis_projects.data.image_mapper import ImageMapper
from vis_projects.data.inference_sampler import VideoInferenceSampler
from vis_projects.data.key_frames import KeyFrameDataset
from vis_projects.data.lazy_frames import LazyFrames
from vis_projects.data.loader import build_image_test_loader, build_vis_test_loader, build_vis_train_loader
from vis_projects.data.mapper import VideoDatasetMapper
from vis_projects.data.pseudo_video import RandomAffine
from vis_projects.data.register import register_class_subset, register_ytvis
from vis_projects.data.registry import VIS_MAPPER_REGISTRY, build_vis_mapper
from vis_projects.data.repair import repair_dataset
from vis_projects.data.split import split_dataset
from vis_projects.data.support_sampler import KeySupportSampler, support_frames
from vis_projects.data.train_set import count_train_items, load_train_set
from vis_projects.data.ytvis_json import load_ytvis_json

__all__ = [
    "VIS_MAPPER_REGISTRY", "ClipAugmentation", "ClipBatchSampler", "ClipTransform", "DatasetError", "Fault",
    "FrameTransform", "ImageMapper", "KeyFrameDataset", "KeyReferenceSampler", "KeySampler", "KeySupportSampler",
    "LazyFrames", "RandomAffine", "VideoDatasetMapper", "VideoInferenceSampler", "build_image_test_loader",
    "build_vis_mapper", "build_vis_test_loader", "build_vis_train_loader", "builtin", "check_dataset",
    "count_train_items", "dataset_notes", "load_train_set", "load_ytvis_json", "register_class_subset",
    "register_ytvis", "repair_dataset", "split_dataset", "support_frames", "verify_images_exist",
]
