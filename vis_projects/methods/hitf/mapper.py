"""The mapper of HITF: a key frame and the frames before it, on one canvas."""

from collections.abc import Sequence

import numpy as np
from detectron2.config import CfgNode
from detectron2.data import transforms as T

from vis_projects.data.clip_transform import ClipAugmentation, ClipTransform
from vis_projects.data.mapper import VideoDatasetMapper
from vis_projects.data.registry import VIS_MAPPER_REGISTRY


@VIS_MAPPER_REGISTRY.register()
class HITFMapper(VideoDatasetMapper):
    """Training clips are N_ref + 1 frames, with pair-wise matching N_ref + 2: "reference" ..., "previous", "key".

    Inference items are whole videos.
    """

    @classmethod
    def from_config(cls, cfg: CfgNode, is_train: bool) -> dict:
        return {**super().from_config(cfg, is_train), "augmentation": FitAugmentation.from_cfg(cfg)}

    @classmethod
    def build_frame_sampler(cls, cfg: CfgNode) -> "PreviousFramesSampler":
        """See ``PreviousFramesSampler``."""
        return PreviousFramesSampler(cfg.MODEL.HITF.N_REF, pair=cfg.MODEL.HITF.PM)


class PreviousFramesSampler:
    """The key frame and the frames right before it; frames before the video's first repeat the first."""

    def __init__(self, num_references: int, *, pair: bool) -> None:
        """
        Args:
            num_references: frames that a frame reads, at least 1.
            pair: whether the frame before the key is a "previous" frame with references of its own.
        """
        if num_references < 1:
            raise ValueError(
                f"MODEL.HITF.N_REF is {num_references}; use 1 or more, and MODEL.HITF.INTER.* False for none"
            )
        self.num_references, self.pair = num_references, pair

    def __call__(
        self, length: int, key: int, rng: np.random.Generator, valid: Sequence[int] | None = None
    ) -> dict[str, list[int]]:
        """Frames by role, in the order of time. Nothing is drawn, and frames without objects count too."""
        reach = self.num_references + self.pair
        frames = [max(key - back, 0) for back in range(reach, 0, -1)]
        if not self.pair:
            return {"reference": frames, "key": [key]}
        return {"reference": frames[:-1], "previous": frames[-1:], "key": [key]}


class FitAugmentation(ClipAugmentation):
    """Multi-scale training as MaX-DeepLab does it: the size that fits the canvas times a factor, cropped to the canvas.

    What fits has a short side of `INPUT.MIN_SIZE_TRAIN` and a long side up to `INPUT.MAX_SIZE_TRAIN`, which is the side
    of the canvas. Smaller frames are padded to it later.
    """

    scales: tuple[float, ...] = (1.0,)

    @classmethod
    def from_cfg(cls, cfg: CfgNode) -> "FitAugmentation":
        """Reads `MODEL.HITF.SCALE_JITTER` beside what `ClipAugmentation.from_cfg` does.

        Raises:
            ValueError: no factor, or one that is not above 0.
        """
        made = super().from_cfg(cfg)
        made.scales = tuple(cfg.MODEL.HITF.SCALE_JITTER)
        if not made.scales or min(made.scales) <= 0:
            raise ValueError(f"MODEL.HITF.SCALE_JITTER is {made.scales}; give factors above 0, or (1.0,) for none")
        return made

    def draw(self, height: int, width: int, num_frames: int, rng: np.random.Generator) -> ClipTransform:
        """Draws the transform of a clip of `num_frames` frames of height x width pixels."""
        drawn = super().draw(height, width, num_frames, rng)
        factor = self.scales[int(rng.integers(len(self.scales)))]
        if factor == 1.0:
            return drawn
        fitted = drawn.geometry.apply_segmentation(np.zeros((height, width), dtype=np.uint8)).shape
        scaled = [max(int(side * factor + 0.5), 1) for side in fitted]
        kept = [min(side, self.max_size) for side in scaled]
        top, left = (int(rng.integers(side - keep + 1)) for side, keep in zip(scaled, kept))
        steps = [drawn.geometry, T.ResizeTransform(*fitted, *scaled)]
        crops = kept != scaled
        if crops:
            steps.append(T.CropTransform(left, top, kept[1], kept[0]))
        return ClipTransform(T.TransformList(steps), drawn.colors, crops=drawn.crops or crops)
