"""Which past frames of a video are kept as supports, in a bounded number of slots."""

from vis_projects.data.support_sampler import support_frames


class KeptFrames:
    """Past frames with their slots; no tensors.

    "recent" keeps the last `count` frames. "uniform_past" keeps every frame as long as they fit, then every second,
    every fourth, and so on: up to `capacity` frames its supports are exactly those of `support_frames`, and in a longer
    video those of the kept frames, which stay evenly spread.
    """

    def __init__(self, mode: str, count: int, capacity: int) -> None:
        """
        Args:
            mode: "uniform_past" or "recent".
            count: supports of a frame, T.
            capacity: slots of "uniform_past", at least T.
        """
        if mode not in ("uniform_past", "recent"):
            raise ValueError(f"past frames are chosen by 'uniform_past' or 'recent', not {mode!r}")
        if count < 1:
            raise ValueError(f"MODEL.COMPFEAT.TEST.NUM_SUPPORT is {count}; give 1 or more")
        if mode == "uniform_past" and capacity < count:
            raise ValueError(f"MODEL.COMPFEAT.TEST.CACHE_FRAMES is {capacity}; keep at least the {count} frames of "
                             "MODEL.COMPFEAT.TEST.NUM_SUPPORT")
        self.mode = mode
        self.count = count
        self.capacity = count if mode == "recent" else capacity
        self._slots: dict[int, int] = {}  # frame -> slot, by time
        self._stride = 1

    @property
    def frames(self) -> list[int]:
        """The kept frames, ascending."""
        return list(self._slots)

    def choose(self) -> list[int]:
        """Slots of the `count` supports of the frame behind those that were kept; none where nothing was kept."""
        kept = self.frames
        if not kept:
            return []
        return [self._slots[kept[place]] for place in support_frames(len(kept) + 1, len(kept), self.count, self.mode)]

    def keep(self, frame: int) -> int | None:
        """The slot that a frame goes to, or None where it is not kept. Frames come in order, from 0."""
        if len(self._slots) == self.capacity:
            if self.mode == "recent":
                del self._slots[min(self._slots)]
            else:
                self._stride *= 2
                self._slots = {kept: slot for kept, slot in self._slots.items() if kept % self._stride == 0}
        if frame % self._stride:
            return None
        slot = min(set(range(self.capacity)) - set(self._slots.values()))
        self._slots[frame] = slot
        return slot
