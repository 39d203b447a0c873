"""The training sets of a config as one `KeyFrameDataset` in one numbering of classes."""

import logging
import os
from functools import lru_cache

from detectron2.data import DatasetCatalog, MetadataCatalog

from vis_projects.data.class_map import class_index_map, remap_classes
from vis_projects.data.errors import DatasetError
from vis_projects.data.identities import number_identities
from vis_projects.data.image_files import verify_images_exist
from vis_projects.data.key_frames import KeyFrameDataset

logger = logging.getLogger(__name__)


def load_train_set(cfg) -> KeyFrameDataset:
    """Loads `DATASETS.TRAIN`, brings the classes together and checks that the frames are there.

    The result is kept as long as the files stay the same, so that counting items and building the loader read the
    json once.

    Raises:
        DatasetError: for broken annotations, missing frames, sets without objects or without shared classes.
        FileNotFoundError: if a json is missing.
        ValueError: if `DATASETS.TRAIN` is empty.
    """
    names = tuple(cfg.DATASETS.TRAIN)
    if not names:
        raise ValueError("DATASETS.TRAIN is empty; name at least one registered data set")
    arguments = (names, tuple(cfg.DATASETS.CLASS_SUBSET), cfg.INPUT.VIDEO.EPOCH_UNIT,
                 not cfg.DATALOADER.FILTER_EMPTY_ANNOTATIONS)
    stamps = tuple(_file_stamp(name) for name in names)
    if None in stamps:  # not from a file: it may change unseen
        return _load.__wrapped__(*arguments, stamps)
    return _load(*arguments, stamps)


def count_train_items(cfg) -> int:
    """Number of training items of one epoch: key frames, or videos where `INPUT.VIDEO.EPOCH_UNIT` is "video"."""
    return len(load_train_set(cfg))


@lru_cache(maxsize=1)
def _load(names: tuple, subset: tuple, epoch_unit: str, keep_empty: bool, stamps: tuple) -> KeyFrameDataset:
    sources, target = [], list(subset)
    for name in names:
        records = DatasetCatalog.get(name)
        if any("annotations" not in record for record in records):
            raise DatasetError(f"{name} of DATASETS.TRAIN has no annotations. Remedy: train on a split that has ground "
                               "truth; `vis split` makes a training and a validation part of one.")
        classes = list(MetadataCatalog.get(name).thing_classes)
        target = target or classes
        index_map = class_index_map(classes, target, dataset_name=name)
        dropped = [classes[i] for i, index in enumerate(index_map) if index < 0]
        if dropped:
            logger.warning(f"{name}: {len(dropped)} of {len(classes)} classes are not trained: {', '.join(dropped)}")
        records = remap_classes(records, index_map)
        verify_images_exist(records)
        sources.append(records)
    dataset = KeyFrameDataset(number_identities(sources), epoch_unit=epoch_unit, keep_empty=keep_empty)
    for name, size in zip(names, dataset.set_sizes):
        logger.info(f"{name}: {size} training items ({epoch_unit}s)")
    return dataset


def _file_stamp(name: str) -> tuple | None:
    metadata = MetadataCatalog.get(name)
    path = metadata.get("json_file", None)
    if not path or not os.path.isfile(path):
        return None
    stat = os.stat(path)
    return path, metadata.get("image_root", None), stat.st_mtime_ns, stat.st_size
