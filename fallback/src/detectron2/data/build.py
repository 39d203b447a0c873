"""Data loaders for training and testing."""

import operator
from collections.abc import Callable
from typing import Any, Optional, Union

import torch
import torch.utils.data as torchdata

from detectron2.config import configurable
from detectron2.utils.comm import get_world_size
from detectron2.utils.env import seed_all_rng

from ._impl.dataset_dicts import (
    filter_images_with_few_keypoints,
    filter_images_with_only_crowd_annotations,
    get_detection_dataset_dicts,
    load_proposals_into_dataset,
    print_instances_class_histogram,
)
from ._impl.loader_config import _test_loader_from_config, _train_loader_from_config
from .common import AspectRatioGroupedDataset, DatasetFromList, MapDataset, ToIterableDataset
from .samplers import InferenceSampler, TrainingSampler

__all__ = [
    "build_batch_data_loader",
    "build_detection_train_loader",
    "build_detection_test_loader",
    "filter_images_with_few_keypoints",
    "filter_images_with_only_crowd_annotations",
    "get_detection_dataset_dicts",
    "load_proposals_into_dataset",
    "print_instances_class_histogram",
    "trivial_batch_collator",
    "worker_init_reset_seed",
]


def build_batch_data_loader(
    dataset, sampler, total_batch_size, *, aspect_ratio_grouping=False, num_workers=0, collate_fn=None,
    drop_last: bool = True, single_gpu_batch_size=None, prefetch_factor=2, persistent_workers=False,
    pin_memory=False, seed=None, **kwargs,
):
    """Return an iterable of batches for this process.

    Args:
        dataset: map-style data set, or an iterable one.
        sampler: torch Sampler; None for an iterable data set (AssertionError).
        total_batch_size: items over all processes, a multiple of their number (AssertionError).
        aspect_ratio_grouping: wide and high images in separate batches; needs "width" and "height" in the items.
        num_workers: worker processes of the loader.
        collate_fn: makes a batch of a list; None leaves the list.
        drop_last: leave an incomplete last batch out.
        single_gpu_batch_size: items of this process, instead of ``total_batch_size`` (ValueError if both are given).
        prefetch_factor, persistent_workers, pin_memory, kwargs: of ``torch.utils.data.DataLoader``.
        seed: of the workers.
    """
    batch_size = _batch_size_here(total_batch_size, single_gpu_batch_size)
    if isinstance(dataset, torchdata.IterableDataset):
        assert sampler is None, "an iterable data set has its own order, the sampler must be None"
    else:
        dataset = ToIterableDataset(dataset, sampler, shard_chunk_size=batch_size)
    options = dict(
        num_workers=num_workers,
        worker_init_fn=worker_init_reset_seed,
        prefetch_factor=prefetch_factor if num_workers > 0 else None,
        persistent_workers=persistent_workers,
        pin_memory=pin_memory,
        generator=None if seed is None else torch.Generator().manual_seed(seed),
        **kwargs,
    )
    if not aspect_ratio_grouping:
        collate_fn = trivial_batch_collator if collate_fn is None else collate_fn
        return torchdata.DataLoader(
            dataset, batch_size=batch_size, drop_last=drop_last, collate_fn=collate_fn, **options
        )
    assert drop_last, "with aspect_ratio_grouping incomplete batches are always left out; drop_last must be True"
    # Grouping happens in this process: the workers hand over single items.
    singles = torchdata.DataLoader(dataset, collate_fn=operator.itemgetter(0), **options)
    batches = AspectRatioGroupedDataset(singles, batch_size)
    return batches if collate_fn is None else MapDataset(batches, collate_fn)


def _batch_size_here(total: Optional[int], single: Optional[int]) -> int:
    if single:
        if total:
            raise ValueError(
                f"give one of total_batch_size ({total}) and single_gpu_batch_size ({single}), the other None or 0"
            )
        return single
    world = get_world_size()
    assert (
        total > 0 and total % world == 0
    ), f"the total batch size {total} must be a positive multiple of the number of processes, {world}"
    return total // world


@configurable(from_config=_train_loader_from_config)
def build_detection_train_loader(
    dataset, *, mapper, sampler=None, total_batch_size, aspect_ratio_grouping=True, num_workers=0,
    collate_fn=None, **kwargs,
):
    """Return an endless iterable of training batches, each a list of mapped records unless collated.

    Called with a config it reads DATASETS, DATALOADER and SOLVER.IMS_PER_BATCH.

    Args:
        dataset: list of records or torch data set.
        mapper: callable on a record; None leaves the records.
        sampler: torch Sampler (AssertionError), ``TrainingSampler`` by default; None for an iterable data set.
        total_batch_size, aspect_ratio_grouping, num_workers, collate_fn, kwargs: see ``build_batch_data_loader``.
    """
    dataset = _mapped(dataset, mapper)
    if isinstance(dataset, torchdata.IterableDataset):
        assert sampler is None, "an iterable data set has its own order, the sampler must be None"
    else:
        sampler = TrainingSampler(len(dataset)) if sampler is None else sampler
        assert isinstance(sampler, torchdata.Sampler), f"the sampler must be a torch Sampler, not {type(sampler)}"
    return build_batch_data_loader(
        dataset,
        sampler,
        total_batch_size,
        aspect_ratio_grouping=aspect_ratio_grouping,
        num_workers=num_workers,
        collate_fn=collate_fn,
        **kwargs,
    )


@configurable(from_config=_test_loader_from_config)
def build_detection_test_loader(
    dataset: Union[list[Any], torchdata.Dataset], *, mapper: Callable[[dict[str, Any]], Any],
    sampler: Optional[torchdata.Sampler] = None, batch_size: int = 1, num_workers: int = 0,
    collate_fn: Optional[Callable[[list[Any]], Any]] = None,
) -> torchdata.DataLoader:
    """Return a loader that gives each record once, over all processes.

    Called with a config and the name of a data set it reads DATASETS and DATALOADER.NUM_WORKERS.

    Args:
        dataset: list of records or torch data set.
        mapper: callable on a record; None leaves the records.
        sampler: ``InferenceSampler`` by default; None for an iterable data set.
        batch_size: records in a batch of this process.
        num_workers: worker processes.
        collate_fn: makes a batch of a list; None leaves the list.
    """
    dataset = _mapped(dataset, mapper)
    if isinstance(dataset, torchdata.IterableDataset):
        assert sampler is None, "an iterable data set has its own order, the sampler must be None"
    elif sampler is None:
        sampler = InferenceSampler(len(dataset))
    return torchdata.DataLoader(
        dataset,
        batch_size=batch_size,
        sampler=sampler,
        drop_last=False,
        num_workers=num_workers,
        collate_fn=trivial_batch_collator if collate_fn is None else collate_fn,
    )


def _mapped(dataset, mapper):
    if isinstance(dataset, list):
        dataset = DatasetFromList(dataset, copy=False)
    return dataset if mapper is None else MapDataset(dataset, mapper)


def trivial_batch_collator(batch):
    """Return the list as it is."""
    return batch


def worker_init_reset_seed(worker_id):
    """Seed all generators of a worker process, each worker and each epoch differently."""
    seed_all_rng(torch.initial_seed() % 2**31 + worker_id)
