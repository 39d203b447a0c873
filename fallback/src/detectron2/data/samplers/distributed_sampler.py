"""Samplers that divide one order of indices among the processes of a job."""

import itertools
import math
from collections import Counter
from typing import Optional

import torch
from torch.utils.data.sampler import Sampler

from detectron2._impl.placeholders import placeholder_getattr
from detectron2.utils import comm

__getattr__ = placeholder_getattr(__name__, ("RandomSubsetTrainingSampler",))


class TrainingSampler(Sampler):
    """Endless indices: one permutation of all after the other; process r of n takes every n-th, beginning with r.

    Args:
        size: number of items.
        shuffle: permute; otherwise 0, 1, ..., size-1 again and again.
        seed: of the permutations, equal on all processes; None draws one that the processes share.

    Raises:
        TypeError: size is no int.
        ValueError: size is not positive.
    """

    def __init__(self, size: int, shuffle: bool = True, seed: Optional[int] = None):
        if not isinstance(size, int):
            raise TypeError(f"TrainingSampler needs an int as size, not {type(size)}")
        if size <= 0:
            raise ValueError(f"TrainingSampler needs at least one item, size is {size}")
        self._size = size
        self._shuffle = shuffle
        self._seed = _seed_or_shared(seed)
        _remember_place(self)

    def __iter__(self):
        yield from itertools.islice(self._infinite_indices(), self._rank, None, self._world_size)

    def _infinite_indices(self):
        generator = torch.Generator()
        generator.manual_seed(self._seed)
        while True:
            if self._shuffle:
                yield from torch.randperm(self._size, generator=generator).tolist()
            else:
                yield from range(self._size)


class RepeatFactorTrainingSampler(Sampler):
    """Endless indices in which item i occurs ``repeat_factors[i]`` times an epoch on average.

    The integer part counts always; the fraction is the chance of one more, drawn anew for each epoch. Rare classes
    are seen more often in this way (LVIS: Gupta et al., 2019, section 4.2).

    Args:
        repeat_factors: float tensor (N,).
        shuffle: permute within the epoch.
        seed: as in ``TrainingSampler``.
    """

    def __init__(self, repeat_factors, *, shuffle=True, seed=None):
        self._shuffle = shuffle
        self._seed = _seed_or_shared(seed)
        _remember_place(self)
        self._int_part = torch.trunc(repeat_factors)
        self._frac_part = repeat_factors - self._int_part

    @staticmethod
    def repeat_factors_from_category_frequency(dataset_dicts, repeat_thresh, sqrt=True):
        """Repeat factor of each image: that of its rarest class.

        Args:
            dataset_dicts: records with "annotations".
            repeat_thresh: fraction of images; classes in fewer images than this are repeated.
            sqrt: class factor is max(1, sqrt(t/f)) when True, max(1, t/f) otherwise.

        Returns:
            float32 tensor (N,), all at least 1.
        """
        classes_of = [{anno["category_id"] for anno in record["annotations"]} for record in dataset_dicts]
        images_with = Counter(itertools.chain.from_iterable(classes_of))
        factor_of = {}
        for category, count in images_with.items():
            ratio = repeat_thresh / (count / len(dataset_dicts))
            factor_of[category] = max(1.0, math.sqrt(ratio) if sqrt else ratio)
        factors = [max((factor_of[category] for category in classes), default=1.0) for classes in classes_of]
        return torch.tensor(factors, dtype=torch.float32)

    def _get_epoch_indices(self, generator):
        """Draw the indices of one epoch, in order; returns an int64 tensor."""
        extra = torch.rand(len(self._frac_part), generator=generator) < self._frac_part
        times = (self._int_part + extra.float()).long()
        return torch.repeat_interleave(torch.arange(len(times)), times)

    def __iter__(self):
        yield from itertools.islice(self._infinite_indices(), self._rank, None, self._world_size)

    def _infinite_indices(self):
        generator = torch.Generator()
        generator.manual_seed(self._seed)
        while True:
            epoch = self._get_epoch_indices(generator)
            if self._shuffle:
                epoch = epoch[torch.randperm(len(epoch), generator=generator)]
            yield from epoch.tolist()


class InferenceSampler(Sampler):
    """Each index exactly once over all processes, in contiguous parts; the first ranks get one more if need be.

    Args:
        size: number of items, positive (AssertionError).
    """

    def __init__(self, size: int):
        assert size > 0, f"InferenceSampler needs at least one item, size is {size}"
        self._size = size
        _remember_place(self)
        self._local_indices = self._get_local_indices(size, self._world_size, self._rank)

    @staticmethod
    def _get_local_indices(total_size, world_size, rank):
        share, remainder = divmod(total_size, world_size)
        start = rank * share + min(rank, remainder)
        return range(start, min(start + share + (rank < remainder), total_size))

    def __iter__(self):
        yield from self._local_indices

    def __len__(self):
        return len(self._local_indices)


def _seed_or_shared(seed: Optional[int]) -> int:
    return comm.shared_random_seed() if seed is None else int(seed)


def _remember_place(sampler: Sampler) -> None:
    """Ask for the rank now: worker processes of a loader do not know the process group."""
    sampler._rank = comm.get_rank()
    sampler._world_size = comm.get_world_size()
