"""Data set wrappers: a list as a data set, mapped, as a stream of a sampler, and grouped by aspect ratio."""

import copy
import logging
import random
from collections.abc import Callable
from typing import Union

import torch.utils.data as data
from torch.utils.data.sampler import Sampler

from detectron2.utils.serialize import PicklableWrapper

from ._impl.serialized_list import TorchSerializedList

__all__ = ["MapDataset", "DatasetFromList", "AspectRatioGroupedDataset", "ToIterableDataset"]

logger = logging.getLogger(__name__)
_serialize_method = TorchSerializedList

# Failures of the map function in a row after which the item is reported.
_PATIENCE = 3


def set_default_dataset_from_list_serialize_method(new):
    """Choose what ``DatasetFromList(serialize=True)`` puts its list into, inside a with statement.

    Args:
        new: callable that turns a list into a sequence.
    """
    return _SerializeMethod(new)


class _SerializeMethod:
    """Context in which another default serialisation holds."""

    def __init__(self, new: Callable):
        self._new = new

    def __enter__(self):
        global _serialize_method
        self._old, _serialize_method = _serialize_method, self._new

    def __exit__(self, *error):
        global _serialize_method
        _serialize_method = self._old


class DatasetFromList(data.Dataset):
    """A list as a data set.

    Args:
        lst: the items.
        copy: hand out deep copies, so that the list cannot be changed in place; of no effect when serialised.
        serialize: True keeps the items pickled in one buffer, which worker processes share without copying pages;
            a callable makes the sequence from the list by itself.
    """

    def __init__(self, lst: list, copy: bool = True, serialize: Union[bool, Callable] = True):
        if not isinstance(serialize, (bool, Callable)):
            raise TypeError(f"serialize must be a bool or a function that takes the list, not {serialize!r}")
        self._lst = lst
        self._copy = copy
        self._serialize = serialize
        if serialize:
            self._lst = (serialize if callable(serialize) else _serialize_method)(lst)

    def __len__(self):
        return len(self._lst)

    def __getitem__(self, idx):
        item = self._lst[idx]
        return copy.deepcopy(item) if self._copy and not self._serialize else item


class MapDataset(data.Dataset):
    """A data set whose items go through a function.

    Where the function returns None, another item is taken at random (a stream leaves the item out). A data set that
    is a stream gives a stream.

    Args:
        dataset: a map-style or an iterable data set.
        map_func: callable on one item; may be a lambda.
    """

    def __new__(cls, dataset, map_func):
        if isinstance(dataset, data.IterableDataset):
            return _MapIterableDataset(dataset, map_func)
        return super().__new__(cls)

    def __init__(self, dataset, map_func):
        self._dataset = dataset
        self._map_func = PicklableWrapper(map_func)
        # Own generator with a fixed seed: replacements are the same in every run.
        self._rng = random.Random(42)
        self._fallback_candidates = set(range(len(dataset)))

    def __getnewargs__(self):
        return self._dataset, self._map_func

    def __len__(self):
        return len(self._dataset)

    def __getitem__(self, idx):
        current, failures = int(idx), 0
        while True:
            item = self._map_func(self._dataset[current])
            if item is not None:
                self._fallback_candidates.add(current)
                return item
            failures += 1
            self._fallback_candidates.discard(current)
            if not self._fallback_candidates:
                raise ValueError("the map function returns None for every item of the data set")
            current = self._rng.choice(list(self._fallback_candidates))
            if failures >= _PATIENCE:
                logger.warning("The map function returned None %d times in a row, from index %s on.", failures, idx)


class _MapIterableDataset(data.IterableDataset):
    """A stream whose items go through a function; None is left out. Made by ``MapDataset``."""

    def __init__(self, dataset, map_func):
        self._dataset = dataset
        self._map_func = PicklableWrapper(map_func)

    def __len__(self):
        return len(self._dataset)

    def __iter__(self):
        for item in map(self._map_func, self._dataset):
            if item is not None:
                yield item


class ToIterableDataset(data.IterableDataset):
    """The items of a map-style data set in the order of a sampler, as a stream.

    Args:
        dataset: map-style data set.
        sampler: gives the indices.
        shard_sampler: split the indices over the worker processes of a loader; otherwise every worker sees all.
        shard_chunk_size: indices that one worker takes in a row; the batch size keeps batches as the sampler has them.
    """

    def __init__(self, dataset: data.Dataset, sampler: Sampler, shard_sampler: bool = True, shard_chunk_size: int = 1):
        assert not isinstance(dataset, data.IterableDataset), f"{dataset!r} is a stream already"
        assert isinstance(sampler, Sampler), f"the sampler must be a torch Sampler, not {type(sampler)}"
        self.dataset = dataset
        self.sampler = sampler
        self.shard_sampler = shard_sampler
        self.shard_chunk_size = shard_chunk_size

    def __iter__(self):
        indices = iter(self.sampler)
        if self.shard_sampler:
            indices = _shard_of_worker(indices, self.shard_chunk_size)
        for index in indices:
            yield self.dataset[index]

    def __len__(self):
        return len(self.sampler)


def _shard_of_worker(indices, chunk_size: int):
    """Keep what belongs to the worker process that runs this: chunk number c goes to worker c modulo their number."""
    worker = data.get_worker_info()
    if worker is None or worker.num_workers == 1:
        yield from indices
        return
    for position, index in enumerate(indices):
        if position // chunk_size % worker.num_workers == worker.id:
            yield index


class AspectRatioGroupedDataset(data.IterableDataset):
    """Batches of images that are all wider than high, or all not.

    A batch comes as soon as its group is full, so the order is close to that of the input. Leftovers are dropped.

    Args:
        dataset: iterable of dicts with "width" and "height".
        batch_size: number of dicts in a list.
    """

    def __init__(self, dataset, batch_size):
        self.dataset = dataset
        self.batch_size = batch_size
        self._buckets = [[], []]

    def __iter__(self):
        for item in self.dataset:
            bucket = self._buckets[0 if item["width"] > item["height"] else 1]
            bucket.append(item)
            if len(bucket) == self.batch_size:
                # Emptied before the batch leaves: an abandoned iteration must not hand it out twice.
                batch = bucket[:]
                bucket.clear()
                yield batch
