"""Runs a model on a video frame by frame: ids out, memory that does not grow with the length of the video."""

import logging
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import nullcontext
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import torch
from detectron2.config import CfgNode
from detectron2.modeling import build_model
from detectron2.structures import Instances
from torch import nn

from vis_projects.data import FrameTransform
from vis_projects.engine.errors import ConfigError, VideoError
from vis_projects.engine.frame_reader import FrameSource, can_be_read_again, open_frames
from vis_projects.engine.frame_writer import FrameWriter
from vis_projects.engine.model_facts import ModelFacts
from vis_projects.engine.run_setup import choose_device, set_num_classes
from vis_projects.engine.stage_timer import StageTimer
from vis_projects.engine.trainer import load_for_inference
from vis_projects.structures import VideoResults, VideoResultsBuilder
from vis_projects.visualization import VideoVisualizer

logger = logging.getLogger(__name__)

OnFrame = Callable[[np.ndarray, Instances], Any]
Steps = Iterator[tuple[np.ndarray, Instances, Any]]  # frame, its instances, the video's state


class VideoPredictor:
    """Segments and tracks objects in videos.

    Frames are (H, W, 3) uint8 BGR arrays, as cv2 reads them and Detectron2's DefaultPredictor takes them. One object
    may run any number of videos, also interleaved: each `stream` has a state of its own.

    Attributes:
        model: in evaluation mode.
        facts: class names of the model.
    """

    def __init__(
        self,
        model: nn.Module | CfgNode,
        frame_transform: FrameTransform | None = None,
        *,
        class_names: Sequence[str] = (),
        score_threshold: float = 0.0,
        classes: Sequence[str] = (),
        min_track_len_frames: int = 0,
        score_floor: float = 0.0,
        timer: StageTimer | None = None,
    ) -> None:
        """
        Args:
            model: an `OnlineVISModel`, or a config: then the model is built, MODEL.WEIGHTS are loaded, and what is not
                given here comes from the config.
            frame_transform: resizes a frame for the model; needed with a model, from the config otherwise.
            class_names: by contiguous class index, for drawing and `classes`.
            score_threshold: objects of a frame below it are left out; tracking still sees them.
            classes: names or numbers of the classes to keep; empty: all.
            min_track_len_frames, score_floor: of tracks in the results of `run`, see `VideoResultsBuilder`.
            timer: counts the stages, for measuring.

        Raises:
            ConfigError: an unknown class, or a config whose number of classes nobody knows.
            CheckpointError: the weights are missing, unsafe or of another model.
        """
        if isinstance(model, CfgNode):
            cfg = model.clone()
            model, self.facts = build_for_inference(cfg)
            frame_transform = frame_transform or FrameTransform.from_cfg(cfg)
            min_track_len_frames = min_track_len_frames or cfg.TEST.VIDEO.MIN_TRACK_LEN_FRAMES
            score_floor = score_floor or cfg.TEST.VIDEO.SCORE_FLOOR
        elif frame_transform is None:
            raise ConfigError("VideoPredictor(model) needs a frame_transform, e.g. FrameTransform.from_cfg(cfg)")
        else:
            self.facts = ModelFacts(tuple(class_names))
        if class_names:
            self.facts = ModelFacts(tuple(class_names))
        self.model = model.eval()
        self.frame_transform = frame_transform
        self.score_threshold = score_threshold
        self.class_indices = self.facts.indices_of(tuple(classes))
        self._builder_options = {"min_track_len_frames": min_track_len_frames, "score_floor": score_floor}
        self.timer = timer or StageTimer(enabled=False)
        self._drawer = VideoVisualizer(self.facts.class_names)

    @property
    def offline(self) -> bool:
        """Whether the model's tracker wants the whole video first, so that `run` works and `stream` does not."""
        return getattr(self.model, "offline", False)

    def stream(self, frames: Iterable[np.ndarray], *, video_id: int | str = "video") -> Iterator[Instances]:
        """Instances of each frame as it arrives.

        Args:
            frames: (H, W, 3) uint8 BGR arrays of one size; taken one at a time.
            video_id: for messages.

        Yields:
            Instances at the frame's size on the model's device: `pred_boxes`, `scores`, `pred_classes`,
            `pred_masks` (n, H, W) bool, `pred_ids` (n,) int64.

        Raises:
            RuntimeError: the model's tracker is offline.
        """
        state = None
        for frame in frames:
            if state is None:
                state = self._init_state(frame, video_id)
            instances, state = self._step(frame, state)
            yield instances

    def run(
        self,
        source: Any,
        output: str | Path | None = None,
        *,
        on_frame: OnFrame | None = None,
        max_frames: int | None = None,
    ) -> VideoResults:
        """Runs a whole video.

        Args:
            source: whatever `open_frames` opens: file, folder, glob, "camera:0", or an iterable of BGR frames. A model
                with an offline tracker reads it twice, so it takes no camera and no iterator.
            output: video file or folder for the drawn frames; None draws nothing.
            on_frame: called with each BGR frame and its instances.
            max_frames: stop after so many; None: at the end.

        Returns:
            the tracks of the frames seen; Ctrl-C ends the video early and keeps them.

        Raises:
            VideoError: the source cannot be read or has no frame, or the output cannot be written.
        """
        video = open_frames(source)
        self.timer.start()
        builder = None
        with FrameWriter(output, fps=video.fps) if output is not None else nullcontext() as writer:
            try:
                for frame, instances, state in self._steps(source, video, max_frames):
                    if builder is None:
                        mode = getattr(state, "inference_mode", "online")
                        builder = VideoResultsBuilder(
                            video.name, *frame.shape[:2], **self._builder_options, inference_mode=mode)
                    with self.timer.stage("encode"):
                        builder.add_frame(instances)
                    if writer is not None:
                        self._draw(frame, instances, writer)
                    if on_frame is not None:
                        on_frame(frame, instances)
                    self.timer.end_frame()
            except KeyboardInterrupt:
                if builder is None:
                    raise
                logger.warning(f"{video.name}: interrupted; the results so far are kept")
        if builder is None:
            raise VideoError(f"{video.name}: there is not one frame in it")
        return builder.finish()

    def _steps(self, source: Any, video: FrameSource, max_frames: int | None) -> Steps:
        """Each frame as it arrives."""
        if self.offline:
            yield from self._offline_steps(source, video, max_frames)
            return
        state = None
        for frame in self.timer.iterate(islice(video, max_frames), "decode"):
            if state is None:
                state = self._init_state(frame, video.name)
            instances, state = self._step(frame, state)
            yield frame, instances, state

    def _offline_steps(self, source: Any, video: FrameSource, max_frames: int | None) -> Steps:
        """Each frame once all have been seen: the video is read twice."""
        if not can_be_read_again(source):
            raise VideoError(
                f"{video.name}: the tracker is offline and reads a video twice; give a file, a folder, a glob or a "
                "list of frames, or choose an online tracker"
            )
        state = None
        for frame in self.timer.iterate(islice(video, max_frames), "decode"):
            if state is None:
                state = self._init_state(frame, video.name)
            with self.timer.stage("preprocess"):
                tensor = self._tensor(frame)
            with self.timer.stage("model"):
                state = self.model.observe(tensor, state)
        if state is not None:
            for frame, instances in zip(open_frames(source), self.model.finish(state)):
                yield frame, self._keep(instances), state

    def _init_state(self, frame: np.ndarray, video_id: int | str) -> Any:
        height, width = frame.shape[:2]
        state = self.model.init_state({"height": height, "width": width, "video_id": video_id})
        if self.timer.enabled and hasattr(state, "tracker"):
            method = "track" if self.offline else "update"
            setattr(state.tracker, method, self.timer.wrap(getattr(state.tracker, method), "associate"))
        return state

    def _step(self, frame: np.ndarray, state: Any) -> tuple[Instances, Any]:
        with self.timer.stage("preprocess"):
            tensor = self._tensor(frame)
        with self.timer.stage("model"):
            instances, state = self.model.step(tensor, state)
        return self._keep(instances), state

    def _tensor(self, frame: np.ndarray) -> torch.Tensor:
        if self.frame_transform.image_format == "RGB":
            frame = frame[..., ::-1]
        return self.frame_transform(np.ascontiguousarray(frame))

    def _keep(self, instances: Instances) -> Instances:
        kept = instances.scores >= self.score_threshold
        if self.class_indices:
            wanted = torch.tensor(self.class_indices, device=instances.pred_classes.device)
            kept = kept & torch.isin(instances.pred_classes, wanted)
        return instances if bool(kept.all()) else instances[kept]

    def _draw(self, frame: np.ndarray, instances: Instances, writer: FrameWriter) -> None:
        with self.timer.stage("draw"):
            drawn = self._drawer.draw(frame[..., ::-1], instances)  # in RGB
            writer.write(drawn[..., ::-1])


def build_for_inference(cfg: CfgNode) -> tuple[nn.Module, ModelFacts]:
    """Builds the model of a config and loads its weights; needs no data set if the checkpoint knows its classes.

    Args:
        cfg: not frozen; device and class counts are filled in.

    Raises:
        ConfigError: nobody knows the number of classes.
        CheckpointError: the weights are missing, unsafe or of another model.
    """
    cfg.defrost()
    choose_device(cfg)
    facts = ModelFacts.from_checkpoint(cfg.MODEL.WEIGHTS)
    if facts.class_names:
        set_num_classes(cfg, len(facts.class_names), source=cfg.MODEL.WEIGHTS)
    elif cfg.MODEL.VIS.NUM_CLASSES > 0:
        set_num_classes(cfg, cfg.MODEL.VIS.NUM_CLASSES, source="MODEL.VIS.NUM_CLASSES")
    else:
        raise ConfigError(
            f"the number of classes is unknown: the checkpoint {cfg.MODEL.WEIGHTS!r} does not tell it; set "
            "MODEL.VIS.NUM_CLASSES, or give in MODEL.WEIGHTS a checkpoint that train_net.py wrote"
        )
    model = build_model(cfg)
    load_for_inference(cfg, model)
    if not facts.class_names:
        # a model of another program still carries the data sets that it was trained on
        named = ModelFacts.from_cfg(cfg)
        facts = named if len(named.class_names) == cfg.MODEL.VIS.NUM_CLASSES else facts
    return model, facts
