"""The endless stream of training batches, equal for every number of processes and workers.

One global stream of items is cut into parts of equal size; process r of W works on the parts r, r + W, r + 2 W, ... So
W processes, or one process that accumulates W parts, see the same parts of the same optimizer step, and a stream can
be taken up at any part without decoding what came before.
"""

from collections.abc import Iterator, Sequence

import torch
from detectron2.utils import comm
from torch.utils.data import Sampler

Draw = tuple[int, tuple[int, int]]


class ClipBatchSampler(Sampler):
    """Yields lists of (item index, (seed, number of the draw)).

    Without weights, an epoch of all sets together is one random permutation, in the order of Detectron2's
    `TrainingSampler` with the same seed. With weights, each draw first picks a set and then takes the next item of the
    set's own permutation.
    """

    def __init__(
        self,
        set_sizes: Sequence[int],
        items_per_part: int,
        *,
        seed: int,
        weights: Sequence[float] = (),
        groups: Sequence[int] | None = None,
        start_part: int = 0,
        rank: int | None = None,
        world_size: int | None = None,
    ):
        """
        Args:
            set_sizes: number of items of each training set.
            items_per_part: items that one process takes in one forward pass.
            seed: of the order, the same on all processes.
            weights: sampling weight of each set, empty for one permutation over all items.
            groups: group of each item; a part holds items of one group only (aspect ratio). None: no groups.
            start_part: parts of this process that are skipped, those a resumed run has seen.
            rank, world_size: of this process, None asks Detectron2's `comm`.

        Raises:
            ValueError: for weights that do not fit the sets.
        """
        if weights and (len(weights) != len(set_sizes) or min(weights) < 0 or sum(weights) <= 0):
            raise ValueError(
                f"DATASETS.TRAIN_WEIGHTS is {tuple(weights)}; it needs one weight >= 0 for each of the "
                f"{len(set_sizes)} sets of DATASETS.TRAIN, not all 0"
            )
        if any(weight > 0 and size == 0 for weight, size in zip(weights, set_sizes)):
            raise ValueError(f"DATASETS.TRAIN_WEIGHTS {tuple(weights)} draws from a set without items; the sets have "
                             f"{tuple(set_sizes)}")
        self.set_sizes = list(set_sizes)
        self.items_per_part = items_per_part
        self.seed = int(seed)
        self.weights = list(weights)
        self.groups = groups
        self.start_part = start_part
        self.rank = comm.get_rank() if rank is None else rank
        self.world_size = comm.get_world_size() if world_size is None else world_size

    def __iter__(self) -> Iterator[list[Draw]]:
        first = self.start_part * self.world_size
        for number, part in enumerate(self._parts()):
            if number >= first and number % self.world_size == self.rank:
                yield part

    def _parts(self) -> Iterator[list[Draw]]:
        filling: dict[int, list[Draw]] = {}
        for number, index in enumerate(self._indices()):
            group = 0 if self.groups is None else int(self.groups[index])
            part = filling.setdefault(group, [])
            part.append((index, (self.seed, number)))
            if len(part) == self.items_per_part:
                yield filling.pop(group)

    def _indices(self) -> Iterator[int]:
        if not self.weights:
            yield from _permutations(sum(self.set_sizes), self.seed)
        offsets = [sum(self.set_sizes[:k]) for k in range(len(self.set_sizes))]
        orders = [_permutations(size, self.seed + 1 + k) for k, size in enumerate(self.set_sizes)]
        generator = torch.Generator().manual_seed(self.seed)
        weights = torch.tensor(self.weights, dtype=torch.float64)
        while True:
            for k in torch.multinomial(weights, 1024, replacement=True, generator=generator).tolist():
                yield offsets[k] + next(orders[k])


def _permutations(size: int, seed: int) -> Iterator[int]:
    generator = torch.Generator().manual_seed(seed)
    while True:
        yield from torch.randperm(size, generator=generator).tolist()
