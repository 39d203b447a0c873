"""Which frames of a video make one training clip: the key frame, alone or with one reference frame.

A frame sampler is a pure function `(length, key, rng, valid=None) -> {role: frame indices}` with the roles in the
order of the clip; it is defined for one-frame videos, where every role falls back to the key frame.
"""

from collections.abc import Sequence

import numpy as np


class KeySampler:
    """The key frame alone, for models of images."""

    def __call__(
        self, length: int, key: int, rng: np.random.Generator, valid: Sequence[int] | None = None
    ) -> dict[str, list[int]]:
        """`{"key": [key]}`; nothing is drawn."""
        return {"key": [key]}


class KeyReferenceSampler:
    """The key frame and one other frame of the same video, as MaskTrack R-CNN is trained (section 4.2 of the paper)."""

    def __init__(self, max_gap_frames: int = 0):
        """
        Args:
            max_gap_frames: largest distance between the two frames; 0 or less allows the whole video.
        """
        self.max_gap_frames = max_gap_frames

    def __call__(
        self, length: int, key: int, rng: np.random.Generator, valid: Sequence[int] | None = None
    ) -> dict[str, list[int]]:
        """
        Args:
            length: number of frames of the video.
            key: index of the key frame.
            rng: source of all randomness.
            valid: frames that may be the reference, usually those with objects; None allows all.

        Returns:
            `{"key": [key], "reference": [r]}`, r uniform over the allowed frames other than the key, and the key
            itself where there is none.
        """
        return {"key": [key], "reference": [draw_reference(length, key, rng, valid, self.max_gap_frames)]}


def draw_reference(
    length: int, key: int, rng: np.random.Generator, valid: Sequence[int] | None, max_gap_frames: int
) -> int:
    """One allowed frame other than the key, uniformly; the key where no other is allowed."""
    frames = range(length) if valid is None else valid
    allowed = [t for t in frames if t != key and (max_gap_frames <= 0 or abs(t - key) <= max_gap_frames)]
    return int(allowed[rng.integers(len(allowed))]) if allowed else key
