"""What a model keeps of the last frames of a video: a ring of keys and values.

Letters: R frames, M alternate layers, S tokens of a frame, K and V widths of keys and values.
"""

from collections import deque

import torch
from torch import Tensor

REF_PADS = ("repeat", "mask")


class ReferenceRing:
    """The last R frames as `TemporalFusion.project` gives them; it does not grow with the video.

    A model trained on repeated frames meets them at the start of a video too: with "repeat", missing references are the
    oldest frame there is, and the first frame is its own reference. With "mask" there are fewer references, or none.
    """

    def __init__(self, size: int, padding: str = "repeat") -> None:
        """
        Args:
            size: R.
            padding: "repeat" or "mask".

        Raises:
            ValueError: another padding.
        """
        if padding not in REF_PADS:
            raise ValueError(f"MODEL.HITF.REF_PAD is {padding!r}; choose from {REF_PADS}")
        self.size, self.padding = size, padding
        self._frames: deque[tuple[Tensor, Tensor]] = deque(maxlen=size)

    def __len__(self) -> int:
        """Frames that are held."""
        return len(self._frames)

    def references(self, current: tuple[Tensor, Tensor]) -> tuple[Tensor, Tensor]:
        """The references of the frame that comes next, the nearest first.

        Args:
            current: keys (1, M, S, K) and values (1, M, S, V) of that frame itself.

        Returns:
            (1, r, M, S, K) and (1, r, M, S, V); r is R with "repeat".
        """
        frames = list(self._frames)
        if self.padding == "repeat":
            frames += [frames[-1] if frames else current] * (self.size - len(frames))
        if not frames:
            return current[0][:, None][:, :0], current[1][:, None][:, :0]
        return torch.stack([keys for keys, _ in frames], dim=1), torch.stack([values for _, values in frames], dim=1)

    def push(self, current: tuple[Tensor, Tensor]) -> None:
        """Adds the frame that has just been processed; the oldest leaves."""
        self._frames.appendleft(current)
