"""For tests of the engine: a model of a few numbers with the protocol of `OnlineVISModel`, its configs and sets."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import torch
from detectron2.config import CfgNode
from detectron2.data import DatasetCatalog
from detectron2.modeling import META_ARCH_REGISTRY
from detectron2.structures import Boxes, Instances
from torch import nn

from tests.toy_ytvis import write_toy_ytvis
from vis_projects.config import get_vis_cfg
from vis_projects.data import register_ytvis
from vis_projects.structures import VideoResultsBuilder


class ToyTracker:
    """Gives the objects of class c the id c."""

    def update(self, instances: Instances) -> Instances:
        instances.pred_ids = instances.pred_classes.clone()
        return instances


class ToyState:
    def __init__(self, video: dict):
        self.height, self.width, self.tracker = video["height"], video["width"], ToyTracker()


@META_ARCH_REGISTRY.register()
class ToyVIS(nn.Module):
    """Finds one object per colour channel: where the channel is brighter than 100. Its loss has random noise."""

    def __init__(self, cfg: CfgNode | None = None):
        super().__init__()
        self.linear = nn.Linear(3, 2)
        self.scale = nn.Parameter(torch.ones(4))
        self.stop_at_video: int | None = None

    @property
    def device(self) -> torch.device:
        return self.scale.device

    def init_state(self, video: dict) -> ToyState:
        return ToyState(video)

    def step(self, frame: torch.Tensor, state: ToyState) -> tuple[Instances, ToyState]:
        assert not self.training
        frame = frame.to(self.device).float()[None]
        bright = nn.functional.interpolate(frame, size=(state.height, state.width), mode="nearest")[0] > 100
        found = torch.nonzero(bright.flatten(1).any(1)).flatten()
        instances = Instances((state.height, state.width))
        instances.pred_masks = bright[found]
        instances.pred_classes = found
        instances.scores = torch.full((len(found),), 0.5) + 0.125 * found
        instances.pred_boxes = Boxes(torch.tensor([[0.0, 0.0, state.width, state.height]] * len(found)).reshape(-1, 4))
        return state.tracker.update(instances), state

    def forward(self, items: list[dict]):
        if self.training:
            return self._losses(items)
        return [self._run(item) for item in items]

    def _losses(self, items: list[dict]) -> dict[str, torch.Tensor]:
        colours = torch.stack([torch.stack([f.float().mean((1, 2)) / 255 for f in i["image"]]).mean(0) for i in items])
        counts = torch.tensor([[len(i["instances"][0]), len(i["instances"][1])] for i in items], dtype=torch.float32)
        noise = torch.rand(4)
        return {
            "loss_count": (self.linear(colours) - counts).square().mean(),
            "loss_noise": (noise * self.scale).square().sum(),
        }

    def _run(self, item: dict):
        if item["video_id"] == self.stop_at_video:
            raise KeyboardInterrupt
        state = self.init_state(item)
        builder = VideoResultsBuilder(item["video_id"], item["height"], item["width"])
        for frame in item["image"]:
            builder.add_frame(self.step(frame, state)[0])
        return builder.finish()


def register_toy_set(folder: str | Path, name: str, **kwargs) -> str:
    """Writes and registers a toy set; what is written or registered already is kept."""
    if name not in DatasetCatalog.list():
        paths = (str(Path(folder) / "instances.json"), str(Path(folder) / "JPEGImages"))
        register_ytvis(name, *(paths if Path(paths[0]).is_file() else write_toy_ytvis(folder, **kwargs)))
    return name


def toy_cfg(dataset: str, output_dir: str | Path, *, opts: list = ()) -> CfgNode:
    """A config, not frozen, that trains and evaluates `ToyVIS` on a registered set."""
    cfg = get_vis_cfg()
    cfg.merge_from_list([
        "MODEL.META_ARCHITECTURE", "ToyVIS", "MODEL.DEVICE", "cpu", "MODEL.VIS.NUM_CLASSES", 3,
        "DATASETS.TRAIN", (dataset,), "DATASETS.TEST", (dataset,), "OUTPUT_DIR", str(output_dir), "SEED", 7,
        "INPUT.MIN_SIZE_TEST", 0, "INPUT.MIN_SIZE_TRAIN", (32, 48), "INPUT.FORMAT", "RGB",
        "DATALOADER.NUM_WORKERS", 0, "SOLVER.IMS_PER_BATCH", 2, "SOLVER.MAX_ITER", 4, "SOLVER.BASE_LR", 0.05,
        "SOLVER.STEPS", (), "SOLVER.WARMUP_ITERS", 0,
    ])
    cfg.merge_from_list(list(opts))
    return cfg


@contextmanager
def logging_restored() -> Iterator[None]:
    """Takes back what a run does to the loggers, so that later tests can capture messages."""
    loggers = [logging.getLogger(name) for name in ("vis_projects", "detectron2", "fvcore")]
    before = [(logger.handlers[:], logger.propagate, logger.level) for logger in loggers]
    try:
        yield
    finally:
        for logger, (handlers, propagate, level) in zip(loggers, before):
            logger.handlers[:], logger.propagate = handlers, propagate
            logger.setLevel(level)


def toy_frames(count: int, size: tuple[int, int] = (48, 64)) -> list[np.ndarray]:
    """BGR frames of a blue and a red square that move; the red one is away in every fourth frame."""
    frames = []
    for t in range(count):
        frame = np.zeros((*size, 3), np.uint8)
        frame[8:20, 4 + t % 20 : 16 + t % 20, 0] = 200
        if t % 4 != 3:
            frame[24:40, 40 - t % 20 : 52 - t % 20, 2] = 180
        frames.append(frame)
    return frames
