"""Spreads whole videos over processes for inference."""

from collections.abc import Iterator, Sequence

from detectron2.utils import comm
from torch.utils.data import Sampler


class VideoInferenceSampler(Sampler):
    """Indices of the videos of one process.

    The longest video goes first to the process with the fewest frames so far. The processes together have every video
    exactly once; a process may have none.
    """

    def __init__(self, lengths: Sequence[int], rank: int | None = None, world_size: int | None = None):
        """
        Args:
            lengths: number of frames of each video.
            rank, world_size: of this process, None asks Detectron2's `comm`.
        """
        rank = comm.get_rank() if rank is None else rank
        world_size = comm.get_world_size() if world_size is None else world_size
        self.indices = balanced_shares(lengths, world_size)[rank]

    def __iter__(self) -> Iterator[int]:
        return iter(self.indices)

    def __len__(self) -> int:
        return len(self.indices)


def balanced_shares(lengths: Sequence[int], shares: int) -> list[list[int]]:
    """Indices of `lengths` in `shares` ascending lists with similar sums; ties go to the lower index and share."""
    loads = [0] * shares
    members: list[list[int]] = [[] for _ in range(shares)]
    for index in sorted(range(len(lengths)), key=lambda i: (-lengths[i], i)):
        lightest = min(range(shares), key=lambda share: (loads[share], len(members[share]), share))
        loads[lightest] += lengths[index]
        members[lightest].append(index)
    return [sorted(share) for share in members]
