"""Random streams of SynthVIS: one generator per video and factor, the same on every machine."""

import hashlib
from collections.abc import Mapping

import numpy as np

SYNTH_VERSION = "1.0"
"""Part of each stream's key and `info.version` of each file: it changes whenever a mask changes."""

FACTORS = ("objects", "looks", "motion", "events", "camera", "light", "blur", "noise", "background")


class VideoStreams:
    """The generators of one video.

    Args:
        preset: name of the preset.
        split: "train", "val" or "test".
        seed: the user's seed.
        index: number of the video in its split.
        factor_seeds: seeds that replace `seed` for single factors, e.g. {"light": 7}; the other factors keep
            their numbers.
    """

    def __init__(self, preset: str, split: str, seed: int, index: int,
                 factor_seeds: Mapping[str, int] | None = None):
        unknown = sorted(set(factor_seeds or ()) - set(FACTORS))
        if unknown:
            raise ValueError(f"factor_seeds names {unknown}; the factors are {', '.join(FACTORS)}")
        self._place = (preset, split, index)
        self._seeds = {factor: seed for factor in FACTORS} | dict(factor_seeds or {})

    def of(self, factor: str) -> np.random.Generator:
        """A fresh generator at the start of the stream of `factor`."""
        preset, split, index = self._place
        key = f"{SYNTH_VERSION}/{preset}/{split}/{self._seeds[factor]}/{index}/{factor}"
        return np.random.Generator(np.random.PCG64(int(hashlib.sha256(key.encode()).hexdigest()[:16], 16)))
