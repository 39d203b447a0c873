"""Which frames of a video support a key frame (CompFeat, HITF), in training and at test time."""

from collections.abc import Sequence

import numpy as np

from vis_projects.data.frame_sampler import draw_reference

SUPPORT_MODES = ("uniform", "random", "uniform_past", "recent")


class KeySupportSampler:
    """The key frame, its support frames and, where asked for, one reference frame; see `frame_sampler` for the form."""

    def __init__(
        self, num_supports: int, mode: str = "uniform", *, with_reference: bool = False, max_gap_frames: int = 0
    ):
        """
        Args:
            num_supports: number of support frames, at least 1.
            mode: one of `SUPPORT_MODES`, see `support_frames`.
            with_reference: whether the clip ends with a reference frame, drawn as `KeyReferenceSampler` does and
                different from the supports where the video has enough frames and the mode is random.
            max_gap_frames: largest distance of the reference from the key; 0 or less allows the whole video.

        Raises:
            ValueError: for an unknown mode or fewer than one support.
        """
        if num_supports < 1:
            raise ValueError(f"num_supports is {num_supports}, at least 1 is needed (INPUT.VIDEO.NUM_SUPPORT_FRAMES)")
        _check_mode(mode)
        self.num_supports = num_supports
        self.mode = mode
        self.with_reference = with_reference
        self.max_gap_frames = max_gap_frames

    def __call__(
        self, length: int, key: int, rng: np.random.Generator, valid: Sequence[int] | None = None
    ) -> dict[str, list[int]]:
        """`{"key": [key], "support": [s, ...]}`, with `"reference": [r]` where asked for.

        `valid` restricts the reference only; supports may be frames without objects.
        """
        roles = {"key": [key]}
        if not self.with_reference:
            return {**roles, "support": support_frames(length, key, self.num_supports, self.mode, rng)}
        reference = draw_reference(length, key, rng, valid, self.max_gap_frames)
        supports = support_frames(length, key, self.num_supports, self.mode, rng, avoid=(reference,))
        return {**roles, "support": supports, "reference": [reference]}


def support_frames(
    length: int,
    key: int,
    count: int,
    mode: str,
    rng: np.random.Generator | None = None,
    avoid: Sequence[int] = (),
) -> list[int]:
    """Support frames of a key frame, in ascending order.

    The n candidates are all frames but the key ("uniform", "random") or all frames before it ("uniform_past", truly
    online) or the last `count` frames before it ("recent"). All modes but "random" take candidate
    floor((k + 1/2) n / count) for k = 0 .. count - 1, so they repeat one only if n < count. "random" draws without
    repetition where n >= count. Without candidates the key supports itself.

    Args:
        length: number of frames of the video.
        key: index of the key frame.
        count: number of supports.
        mode: one of `SUPPORT_MODES`.
        rng: needed by "random" only.
        avoid: frames that "random" leaves out as long as enough others are left.

    Raises:
        ValueError: for an unknown mode.
    """
    _check_mode(mode)
    first = max(key - count, 0) if mode == "recent" else 0
    candidates = [t for t in range(first, key if mode in ("uniform_past", "recent") else length) if t != key]
    n = len(candidates)
    if n == 0:
        return [key] * count
    if mode != "random":
        return [candidates[(2 * k + 1) * n // (2 * count)] for k in range(count)]
    others = [t for t in candidates if t not in avoid]
    if len(others) >= count:
        candidates = others
    return sorted(int(t) for t in rng.choice(candidates, size=count, replace=len(candidates) < count))


def _check_mode(mode: str) -> None:
    if mode not in SUPPORT_MODES:
        raise ValueError(f"INPUT.VIDEO.SUPPORT_SAMPLING is {mode!r}, known are {SUPPORT_MODES}")
