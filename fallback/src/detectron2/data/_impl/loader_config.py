"""What the loaders take from a config."""

import logging

import torch.utils.data as torchdata

from detectron2.data.dataset_mapper import DatasetMapper
from detectron2.data.samplers import InferenceSampler, RepeatFactorTrainingSampler, TrainingSampler

from .dataset_dicts import get_detection_dataset_dicts


def _train_loader_from_config(cfg, mapper=None, *, dataset=None, sampler=None):
    if dataset is None:
        dataset = get_detection_dataset_dicts(
            cfg.DATASETS.TRAIN,
            filter_empty=cfg.DATALOADER.FILTER_EMPTY_ANNOTATIONS,
            min_keypoints=cfg.MODEL.ROI_KEYPOINT_HEAD.MIN_KEYPOINTS_PER_IMAGE if cfg.MODEL.KEYPOINT_ON else 0,
            proposal_files=cfg.DATASETS.PROPOSAL_FILES_TRAIN if cfg.MODEL.LOAD_PROPOSALS else None,
        )
    if sampler is None and not isinstance(dataset, torchdata.IterableDataset):
        sampler = _train_sampler(cfg, dataset)
    return {
        "dataset": dataset,
        "sampler": sampler,
        "mapper": DatasetMapper(cfg, True) if mapper is None else mapper,
        "total_batch_size": cfg.SOLVER.IMS_PER_BATCH,
        "aspect_ratio_grouping": cfg.DATALOADER.ASPECT_RATIO_GROUPING,
        "num_workers": cfg.DATALOADER.NUM_WORKERS,
    }


def _train_sampler(cfg, dataset):
    name = cfg.DATALOADER.SAMPLER_TRAIN
    logging.getLogger("detectron2.data.build").info("Training sampler: %s", name)
    if name == "TrainingSampler":
        return TrainingSampler(len(dataset), seed=cfg.SEED)
    if name == "RepeatFactorTrainingSampler":
        factors = RepeatFactorTrainingSampler.repeat_factors_from_category_frequency(
            dataset, cfg.DATALOADER.REPEAT_THRESHOLD, sqrt=cfg.DATALOADER.REPEAT_SQRT
        )
        return RepeatFactorTrainingSampler(factors, seed=cfg.SEED)
    raise ValueError(
        f"DATALOADER.SAMPLER_TRAIN is {name!r}; this package has TrainingSampler and RepeatFactorTrainingSampler"
    )


def _test_loader_from_config(cfg, dataset_name, mapper=None):
    names = [dataset_name] if isinstance(dataset_name, str) else dataset_name
    proposal_files = None
    if cfg.MODEL.LOAD_PROPOSALS:
        all_names = list(cfg.DATASETS.TEST)
        proposal_files = [cfg.DATASETS.PROPOSAL_FILES_TEST[all_names.index(name)] for name in names]
    dataset = get_detection_dataset_dicts(names, filter_empty=False, proposal_files=proposal_files)
    iterable = isinstance(dataset, torchdata.IterableDataset)
    return {
        "dataset": dataset,
        "mapper": DatasetMapper(cfg, False) if mapper is None else mapper,
        "num_workers": cfg.DATALOADER.NUM_WORKERS,
        "sampler": None if iterable else InferenceSampler(len(dataset)),
    }
