"""Base class of all meta-architectures: training on clips, inference frame by frame.

Inference is ``state = model.init_state(video)``, then ``instances, state = model.step(frame,
state)`` per frame. Whole-video inference, ``model([item])``, runs those same steps, so both ways
give equal results. All that is remembered of a video is in its state, which the caller owns.
"""

from abc import abstractmethod
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any

import torch
from detectron2.config import CfgNode
from detectron2.modeling import Backbone, build_backbone
from detectron2.structures import ImageList, Instances
from torch import Tensor, nn

from vis_projects.structures.clip import Clip
from vis_projects.structures.image_batch import image_batch, padding_of
from vis_projects.structures.results_builder import VideoResultsBuilder
from vis_projects.structures.video_results import VideoResults

RESULT_FIELDS = ("pred_boxes", "scores", "pred_classes", "pred_masks", "pred_ids")


@dataclass
class VideoState:
    """What a model remembers of one video between two frames.

    A method that carries more than its tracker does subclasses it and overrides ``init_state``.

    Attributes:
        height: of the output in pixels.
        width: of the output in pixels.
        tracker: this video's tracker (a ``vis_projects.tracking.Tracker``).
        video_id: name of the video, for messages only.
        num_frames: frames seen so far.
        inference_mode: "online", or what else is to be said of the results, such as that later frames were seen.
    """

    height: int
    width: int
    tracker: Any
    video_id: Any = None
    num_frames: int = 0
    inference_mode: str = "online"


class OnlineVISModel(nn.Module):
    """An online video instance segmentation model.

    A method subclasses it, registers the class in ``META_ARCH_REGISTRY``, and fills in ``losses``
    and ``detect``.
    """

    def __init__(
        self,
        *,
        backbone: Backbone | None,
        pixel_mean: tuple[float, ...],
        pixel_std: tuple[float, ...],
        tracker_factory: Callable[[], Any],
        amp: bool = False,
        min_track_len_frames: int = 0,
        score_floor: float = 0.0,
    ) -> None:
        """
        Args:
            backbone: image (B, C, H, W) to a dict of feature maps; None for a model that overrides
                ``_preprocess_frame`` and the training half of ``forward``, which use it.
            pixel_mean: per channel, in the channel order of the frames.
            pixel_std: per channel.
            tracker_factory: makes a fresh tracker for a video that starts.
            amp: run inference in mixed precision.
            min_track_len_frames: shorter tracks are left out of whole-video results.
            score_floor: tracks of a lower mean score are left out of whole-video results.
        """
        super().__init__()
        if len(pixel_mean) != len(pixel_std):
            raise ValueError(
                f"MODEL.PIXEL_MEAN has {len(pixel_mean)} channels and MODEL.PIXEL_STD "
                f"{len(pixel_std)}; give both one value per channel"
            )
        self.backbone = backbone
        self.register_buffer("pixel_mean", torch.tensor(pixel_mean).view(-1, 1, 1), persistent=False)
        self.register_buffer("pixel_std", torch.tensor(pixel_std).view(-1, 1, 1), persistent=False)
        self.tracker_factory = tracker_factory
        self.amp = amp
        self.min_track_len_frames = min_track_len_frames
        self.score_floor = score_floor

    @classmethod
    def from_config(cls, cfg: CfgNode) -> dict[str, Any]:
        """The arguments that all methods read alike; ``tracker_factory`` is the subclass's."""
        return {
            "backbone": build_backbone(cfg),
            "pixel_mean": tuple(cfg.MODEL.PIXEL_MEAN),
            "pixel_std": tuple(cfg.MODEL.PIXEL_STD),
            "amp": cfg.TEST.VIDEO.AMP,
            "min_track_len_frames": cfg.TEST.VIDEO.MIN_TRACK_LEN_FRAMES,
            "score_floor": cfg.TEST.VIDEO.SCORE_FLOOR,
        }

    @abstractmethod
    def losses(self, clip: Clip) -> dict[str, Tensor]:
        """Training losses of a batch of clips: a flat dict of scalars named ``loss_*``."""

    @abstractmethod
    def detect(self, images: ImageList, state: VideoState) -> Instances:
        """Detections of one frame, before they have ids.

        Args:
            images: the one normalised and padded frame; ``image_sizes[0]`` is its size (h, w)
                before padding.
            state: of the frame's video; may be changed.

        Returns:
            Instances of image size (state.height, state.width) with ``pred_boxes``, ``scores``,
            ``pred_classes``, ``pred_masks`` (n, height, width) bool, and what the tracker needs.
        """

    def describe(self, images: ImageList, instances: Instances, state: VideoState) -> Instances:
        """Adds to given instances what the tracker needs beside the fields that every tracker reads.

        A method overrides it when its ``detect`` hands such fields to its tracker; here nothing is added.

        Args:
            images: as of ``detect``.
            instances: at output size, with the fields that ``detect`` must give. Not modified.
            state: of the frame's video; may be changed.
        """
        return instances

    @property
    def checkpointed(self) -> nn.Module:
        """The module whose weights a checkpoint of this model holds."""
        return self

    @property
    def device(self) -> torch.device:
        """Where the model lives and its inputs are moved to."""
        return self.pixel_mean.device

    def init_state(self, video: dict[str, Any]) -> VideoState:
        """Starts a video.

        Args:
            video: ``height`` and ``width`` of the output in pixels, and maybe ``video_id``.
        """
        missing = [key for key in ("height", "width") if key not in video]
        if missing:
            raise KeyError(f"init_state needs the output size; the video lacks {missing}")
        return VideoState(
            height=int(video["height"]),
            width=int(video["width"]),
            tracker=self.tracker_factory(),
            video_id=video.get("video_id"),
        )

    @torch.no_grad()
    def step(self, frame: Tensor, state: VideoState) -> tuple[Instances, VideoState]:
        """Detects and tracks in the next frame of a video.

        Args:
            frame: (C, h, w) uint8 as ``FrameTransform`` gives it, on any device.
            state: from ``init_state`` or the step before. It is changed; use the returned one.

        Returns:
            Instances at output size with ``pred_boxes``, ``scores``, ``pred_classes``,
            ``pred_masks`` (n, height, width) bool, ``pred_ids`` (n,) int64; and the state.

        Raises:
            RuntimeError: the model is in training mode.
            TypeError, ValueError: the frame is no uint8 image of as many channels as the model's.
            FloatingPointError: weights or input make the scores of the tracker inf or nan.
        """
        images = self._start_step(frame)
        with self._autocast():
            detections = self.detect(images, state)
        return self._track(detections, state)

    @torch.no_grad()
    def step_with_given_instances(
        self, frame: Tensor, instances: Instances, state: VideoState
    ) -> tuple[Instances, VideoState]:
        """Tracks given instances instead of detecting some: ``step`` behind a detector of one's own.

        Args:
            frame, state: as of ``step``.
            instances: of image size (state.height, state.width) with ``pred_boxes``, ``scores``,
                ``pred_classes``, ``pred_masks`` (n, height, width) bool, on any device. Not modified.

        Returns:
            As ``step``: the instances that the tracker keeps, with ``pred_ids``; and the state.

        Raises:
            RuntimeError, TypeError, ValueError, FloatingPointError: as ``step``; ValueError also for
                instances of another size.
        """
        if tuple(instances.image_size) != (state.height, state.width):
            raise ValueError(
                f"given instances are of size {tuple(instances.image_size)}, the video's output has "
                f"{(state.height, state.width)}; give boxes and masks at output size"
            )
        images = self._start_step(frame)
        with self._autocast():
            described = self.describe(images, instances.to(self.device), state)
        return self._track(described, state)

    def _start_step(self, frame: Tensor) -> ImageList:
        if self.training:
            raise RuntimeError("step() is inference: call model.eval() first")
        return self._preprocess_frame(frame)

    def _track(self, detections: Instances, state: VideoState) -> tuple[Instances, VideoState]:
        if not hasattr(state.tracker, "update"):
            raise RuntimeError(
                f"{type(state.tracker).__name__} is an offline tracker: it wants all detections of a video and cannot "
                "run frame by frame. Set MODEL.META_ARCHITECTURE to TrackByDetection and run whole videos "
                "(model([item]), VideoPredictor.run, evaluation), or choose an online tracker in MODEL.VIS.TRACKER.NAME"
            )
        tracked = state.tracker.update(detections)
        state.num_frames += 1
        kept = Instances(tracked.image_size)
        for name in RESULT_FIELDS:
            kept.set(name, tracked.get(name))
        return kept, state

    def forward(self, batch: list[dict[str, Any]]) -> dict[str, Tensor] | list[VideoResults]:
        """Losses of a batch of clips in training mode, results of whole videos in evaluation mode.

        Args:
            batch: items of the mapper. In evaluation ``image`` is any iterable of frames as
                ``step`` takes them; one frame at a time is held.

        Returns:
            Training: flat dict of ``loss_*`` scalars. Evaluation: one ``VideoResults`` per item.
        """
        if not self.training:
            return [self._run_video(item) for item in batch]
        padding = padding_of(self.backbone)
        return self.losses(Clip.from_batch(batch, self.device, self.pixel_mean, self.pixel_std, **padding))

    def _run_video(self, item: dict[str, Any]) -> VideoResults:
        state = self.init_state(item)
        builder = self._new_builder(item, state)
        for frame in item["image"]:
            instances, state = self.step(frame, state)
            builder.add_frame(instances)
        return builder.finish()

    def _new_builder(self, item: dict[str, Any], state: VideoState) -> VideoResultsBuilder:
        return VideoResultsBuilder(
            item["video_id"],
            state.height,
            state.width,
            min_track_len_frames=self.min_track_len_frames,
            score_floor=self.score_floor,
            inference_mode=state.inference_mode,
        )

    def _preprocess_frame(self, frame: Tensor) -> ImageList:
        self._check_frame(frame)
        return image_batch([frame], self.pixel_mean, self.pixel_std, **padding_of(self.backbone))

    def _check_frame(self, frame: Tensor) -> None:
        channels = self.pixel_mean.shape[0]
        if frame.dtype != torch.uint8:
            raise TypeError(
                f"a frame is a uint8 tensor (values 0..255), not {frame.dtype}; "
                "FrameTransform makes one from an image"
            )
        if frame.dim() != 3 or frame.shape[0] != channels:
            raise ValueError(
                f"a frame has the shape ({channels}, height, width), not {tuple(frame.shape)}; "
                "FrameTransform makes one from an image"
            )

    def _autocast(self) -> AbstractContextManager:
        # bfloat16 off CUDA: CPU kernels for float16 are missing or slow.
        dtype = torch.float16 if self.device.type == "cuda" else torch.bfloat16
        return torch.autocast(device_type=self.device.type, dtype=dtype, enabled=self.amp)
