"""``GroupedBatchSampler``: batches whose items share a group."""

import numpy as np
from torch.utils.data.sampler import BatchSampler, Sampler


class GroupedBatchSampler(BatchSampler):
    """Batches of indices of one group each, in an order close to that of the sampler; leftovers are kept back.

    Args:
        sampler: torch Sampler of single indices (ValueError otherwise).
        group_ids: int array (N,), the group of each index.
        batch_size: indices in a batch.
    """

    def __init__(self, sampler, group_ids, batch_size):
        if not isinstance(sampler, Sampler):
            raise ValueError(f"GroupedBatchSampler needs a torch Sampler, not {sampler!r}")
        self.sampler = sampler
        self.group_ids = np.asarray(group_ids)
        assert self.group_ids.ndim == 1, f"group_ids must be a vector, its shape is {self.group_ids.shape}"
        self.batch_size = batch_size
        self.buffer_per_group = {int(group): [] for group in set(self.group_ids)}

    def __iter__(self):
        for index in self.sampler:
            waiting = self.buffer_per_group[int(self.group_ids[index])]
            waiting.append(index)
            if len(waiting) == self.batch_size:
                yield waiting[:]
                waiting.clear()

    def __len__(self):
        raise NotImplementedError("the number of batches depends on the order of the groups")
