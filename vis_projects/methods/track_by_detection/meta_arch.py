"""Any detector with any tracker behind it, as a Detectron2 meta-architecture."""

import logging
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import torch
from detectron2.config import CfgNode, configurable
from detectron2.modeling import META_ARCH_REGISTRY, build_model
from detectron2.structures import Boxes, ImageList, Instances
from torch import Tensor, nn

from vis_projects.modeling import OnlineVISModel, VideoState
from vis_projects.structures import VideoResults
from vis_projects.tracking import build_tracker, build_tracker_network, is_offline

from vis_projects.methods.track_by_detection.video_detections import VideoDetections

logger = logging.getLogger(__name__)

Losses = dict[str, Tensor]


@dataclass
class DetectedVideoState(VideoState):
    """A video's state with what the detector remembers of it.

    Attributes:
        detector_state: of a detector of this project, else None.
        detections: seen so far, kept for an offline tracker only.
    """

    detector_state: VideoState | None = None
    detections: VideoDetections = field(default_factory=VideoDetections)


@META_ARCH_REGISTRY.register()
class TrackByDetection(OnlineVISModel):
    """Gives the objects that an unchanged image detector finds in each frame their ids.

    The detector is a stock Detectron2 model (Mask R-CNN, Cascade Mask R-CNN, RetinaNet, ...) or a model of this
    project, whose own association is not used. Where it gives no masks, the masks are filled boxes. Checkpoints are
    the detector's own: those of the image model load as they are, and what is saved here loads there.
    """

    @configurable
    def __init__(
        self,
        *,
        detector: nn.Module,
        tracker_network: nn.Module | None = None,
        offline: bool = False,
        **kwargs: Any,
    ) -> None:
        """
        Args:
            detector: a dict with ``image``, ``height``, ``width`` per frame to a dict with ``instances`` at that size;
                or an ``OnlineVISModel``.
            tracker_network: network of the tracker, which ``tracker_factory`` gives to each; kept here so that it moves
                with the model. No part of the checkpoint, and never trained here.
            offline: the trackers are ``OfflineTracker``s.
            kwargs: of ``OnlineVISModel``.
        """
        super().__init__(backbone=None, **kwargs)
        self.detector = detector
        self.tracker_network = tracker_network
        self.offline = offline
        self._told_of_boxes = False
        if isinstance(detector, OnlineVISModel):
            detector.tracker_factory = _NoTracker

    @classmethod
    def from_config(cls, cfg: CfgNode) -> dict[str, Any]:
        detector_cfg = cfg.clone()
        detector_cfg.defrost()
        detector_cfg.MODEL.META_ARCHITECTURE = cfg.MODEL.TRACK_BY_DETECTION.DETECTOR
        if detector_cfg.MODEL.META_ARCHITECTURE in ("", cls.__name__):
            raise ValueError(
                f"MODEL.TRACK_BY_DETECTION.DETECTOR is {detector_cfg.MODEL.META_ARCHITECTURE!r}; name the "
                "meta-architecture that finds the objects, such as GeneralizedRCNN"
            )
        network = build_tracker_network(cfg)
        return {
            "detector": build_model(detector_cfg),
            "tracker_network": network,
            "offline": is_offline(cfg),
            "pixel_mean": tuple(cfg.MODEL.PIXEL_MEAN),
            "pixel_std": tuple(cfg.MODEL.PIXEL_STD),
            # A copy: what a caller changes in cfg later must not reach videos that start later.
            "tracker_factory": partial(build_tracker, cfg.clone(), network),
            "amp": cfg.TEST.VIDEO.AMP,
            "min_track_len_frames": cfg.TEST.VIDEO.MIN_TRACK_LEN_FRAMES,
            "score_floor": cfg.TEST.VIDEO.SCORE_FLOOR,
        }

    @property
    def checkpointed(self) -> nn.Module:
        """The detector: its checkpoints are this model's."""
        return self.detector

    def forward(self, batch: list[dict[str, Any]]) -> Losses | list[VideoResults]:
        """The detector's own losses in training, see ``OnlineVISModel`` otherwise.

        Args:
            batch: items of the mapper. A stock detector is trained on images, those of ``ImageMapper`` or every frame
                of a clip.
        """
        if not self.training:
            return super().forward(batch)
        if isinstance(self.detector, OnlineVISModel):
            return self.detector(batch)
        return self.detector([image for item in batch for image in _images_of(item)])

    def init_state(self, video: dict[str, Any]) -> DetectedVideoState:
        """Starts a video, see ``OnlineVISModel``."""
        state = DetectedVideoState(**vars(super().init_state(video)))
        if self.offline:
            state.inference_mode = "offline"
        if isinstance(self.detector, OnlineVISModel):
            state.detector_state = self.detector.init_state(video)
        return state

    def detect(self, images: ImageList, state: DetectedVideoState) -> Instances:
        """Detections of one frame, see ``OnlineVISModel``; here the images are raw, as the detector takes them."""
        frame = self._show(images, state)
        if state.detector_state is not None:
            return self._detect_with_own_model(frame, state.detector_state)
        (output,) = self.detector([{"image": frame, "height": state.height, "width": state.width}])
        if "instances" not in output:
            raise TypeError(
                f"MODEL.TRACK_BY_DETECTION.DETECTOR {type(self.detector).__name__} gives {sorted(output)} and no "
                "instances; name a model that detects objects"
            )
        return self._with_masks(output["instances"])

    def describe(self, images: ImageList, instances: Instances, state: DetectedVideoState) -> Instances:
        """Shows the tracker the frame of the given instances, to which nothing is added."""
        self._show(images, state)
        return instances

    @torch.no_grad()
    def observe(self, frame: Tensor, state: DetectedVideoState) -> DetectedVideoState:
        """Detects in the next frame and keeps the detections for ``finish``; what ``step`` is to an online tracker.

        Args and errors: as of ``step``.
        """
        images = self._start_step(frame)
        with self._autocast():
            state.detections.append(self.detect(images, state))
        state.num_frames += 1
        return state

    def finish(self, state: DetectedVideoState) -> Iterator[Instances]:
        """Tracks in all frames that ``observe`` has seen; gives what ``step`` would give, frame after frame."""
        return state.detections.tracked_by(state.tracker)

    def _run_video(self, item: dict[str, Any]) -> VideoResults:
        if not self.offline:
            return super()._run_video(item)
        state = self.init_state(item)
        for frame in item["image"]:
            state = self.observe(frame, state)
        builder = self._new_builder(item, state)
        for instances in self.finish(state):
            builder.add_frame(instances)
        return builder.finish()

    def _preprocess_frame(self, frame: Tensor) -> ImageList:
        self._check_frame(frame)
        return ImageList(frame.to(self.device, non_blocking=True)[None], [tuple(frame.shape[1:])])

    def _show(self, images: ImageList, state: DetectedVideoState) -> Tensor:
        """The one frame of ``images``, (C, h, w) uint8, which the tracker gets too if it asks for it."""
        frame = images.tensor[0]
        if getattr(state.tracker, "needs_frame", False):
            state.tracker.see(frame)
        return frame

    def _detect_with_own_model(self, frame: Tensor, state: VideoState) -> Instances:
        images = self.detector._preprocess_frame(frame)
        detections = self.detector.detect(images, state)
        state.num_frames += 1
        return detections

    def _with_masks(self, instances: Instances) -> Instances:
        if instances.has("pred_masks"):
            return instances
        if not self._told_of_boxes:
            name = type(self.detector).__name__
            logger.warning(f"{name} gives no masks: the masks of the results are its boxes, filled")
            self._told_of_boxes = True
        filled = Instances(instances.image_size, **instances.get_fields())
        filled.pred_masks = box_masks(instances.pred_boxes, *instances.image_size)
        return filled


class _NoTracker:
    """Stands where the association of a detector of this project would be."""

    def __getattr__(self, name: str) -> Any:
        raise AttributeError(
            f"the detector asks its own tracker for `{name}`: what it finds depends on its own tracks, so no other "
            "tracker can stand behind it; name another MODEL.TRACK_BY_DETECTION.DETECTOR"
        )


def box_masks(boxes: Boxes, height: int, width: int) -> Tensor:
    """(n, height, width) bool: the pixels whose centre is inside each box."""
    tensor = boxes.tensor
    x = torch.arange(width, device=tensor.device) + 0.5
    y = torch.arange(height, device=tensor.device) + 0.5
    inside_x = (x >= tensor[:, 0:1]) & (x < tensor[:, 2:3])
    inside_y = (y >= tensor[:, 1:2]) & (y < tensor[:, 3:4])
    return inside_y[:, :, None] & inside_x[:, None, :]


def _images_of(item: dict[str, Any]) -> list[dict[str, Any]]:
    """An item of the mapper as the image dicts that stock models take: it is one already, or a clip of several."""
    if isinstance(item["image"], Tensor):
        return [item]
    size = {"height": item["height"], "width": item["width"]}
    return [{"image": image, "instances": truth, **size} for image, truth in zip(item["image"], item["instances"])]
