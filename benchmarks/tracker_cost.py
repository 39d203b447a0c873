"""Share of each tracker in the time of a frame with many objects: Mask R-CNN R-50 at 640 x 360, random weights.

    python benchmarks/tracker_cost.py [--objects 20] [--frames 10] [--config track_by_detection/...yaml]

The detector works as it does on a real video, with as many boxes and masks; its random findings are then replaced by
moving squares, so that every tracker has the same tracks to keep. Times are those of `vis bench`: "associate" is all of
the tracker, its own network included; the share is of the whole frame without drawing. On a CPU it is processor time,
which other programs do not disturb.
"""

import argparse
import sys
import time
from pathlib import Path

import numpy as np
import torch
from detectron2.modeling import build_model
from detectron2.structures import Boxes, Instances
from torch import nn

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from vis_projects.data import FrameTransform  # noqa: E402
from vis_projects.engine import StageTimer, VideoPredictor, load_config  # noqa: E402

CONFIG = "track_by_detection/iou_tracker_plus_mask_rcnn_R_50_FPN_1x_ytvis2019.yaml"
HEIGHT, WIDTH, SIDE, STEP = 360, 640, 50, 3
DEEPSORT = ("MODEL.VIS.TRACKER.NAME", "DeepSORTTracker")
TRACKERS = {
    "IoUTracker+": ("MODEL.VIS.TRACKER.NAME", "IoUTrackerPlus"),
    "SORT": (*DEEPSORT, "MODEL.DEEPSORT.APPEARANCE", "False"),
    "DeepSORT": DEEPSORT,
    "SeqTracker": ("MODEL.VIS.TRACKER.NAME", "SeqTracker"),
    "OSMN": ("MODEL.VIS.TRACKER.NAME", "OSMNTracker"),
}


class MovingSquares(nn.Module):
    """Runs a detector and gives moving squares instead of what it found."""

    def __init__(self, detector: nn.Module, objects: int) -> None:
        """
        Args:
            detector: a stock model.
            objects: squares in each frame.
        """
        super().__init__()
        self.detector, self.objects, self.frame, self.found = detector, objects, 0, 0
        columns = WIDTH // (SIDE + 10)
        place = torch.arange(objects)
        self.corners = torch.stack([place % columns, place // columns], dim=1).float() * (SIDE + 10)

    def forward(self, items: list[dict]) -> list[dict]:
        """One frame in, one dict with `instances` out."""
        (item,) = items
        (output,) = self.detector(items)
        self.found += len(output["instances"])
        corners = self.corners.to(item["image"].device) + self.frame * STEP
        self.frame += 1
        squares = Instances((item["height"], item["width"]))
        squares.pred_boxes = Boxes(torch.cat([corners, corners + SIDE], dim=1))
        squares.scores = torch.linspace(0.9, 0.5, self.objects, device=corners.device)
        squares.pred_classes = torch.zeros(self.objects, dtype=torch.int64, device=corners.device)
        squares.pred_masks = torch.zeros(self.objects, *squares.image_size, dtype=torch.bool, device=corners.device)
        for mask, (x, y) in zip(squares.pred_masks, corners.int().tolist()):
            mask[y : y + SIDE, x : x + SIDE] = True
        return [{"instances": squares}]


def measure(config: str, opts: tuple[str, ...], objects: int, frames: int) -> tuple[StageTimer, float]:
    """Times of one tracker, after two frames of warm-up, and the mean count of what the detector itself found."""
    cfg = load_config(config, ["MODEL.WEIGHTS", "", *opts])
    cfg.MODEL.DEVICE = "cuda" if torch.cuda.is_available() else "cpu"
    cfg.MODEL.ROI_HEADS.SCORE_THRESH_TEST, cfg.TEST.DETECTIONS_PER_IMAGE = 0.0, objects
    torch.manual_seed(0)
    model = build_model(cfg).eval()
    with torch.no_grad():  # random residual branches would leave no finite box
        for name, weight in model.detector.named_parameters():
            if name.endswith("conv3.weight"):
                weight.zero_()
    model.detector = squares = MovingSquares(model.detector, objects)
    images = np.random.default_rng(0).integers(0, 256, (frames, HEIGHT, WIDTH, 3), dtype=np.uint8)
    predictor = VideoPredictor(model, FrameTransform.from_cfg(cfg))
    predictor.run(list(images[:2]))
    squares.frame = squares.found = 0
    on_gpu = model.device.type == "cuda"
    predictor.timer = timer = StageTimer(device=model.device, clock=time.perf_counter if on_gpu else time.process_time)
    predictor.run(list(images))
    return timer, squares.found / frames


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--config", default=CONFIG)
    parser.add_argument("--objects", type=int, default=20)
    parser.add_argument("--frames", type=int, default=10)
    parser.add_argument("--only", nargs="+", choices=list(TRACKERS), default=list(TRACKERS))
    args = parser.parse_args()
    print("| tracker | associate, ms | frame, ms | share of the frame | detector's own objects |\n|---|---|---|---|---|")
    for name in args.only:
        timer, found = measure(args.config, TRACKERS[name], args.objects, args.frames)
        associate, wall = 1e3 * timer.seconds("associate").sum(), 1e3 * timer.seconds("wall").sum()
        print(f"| {name} | {associate / timer.num_frames:.2f} | {wall / timer.num_frames:.1f} | {associate / wall:.2%} "
              f"| {found:.1f} |", flush=True)


if __name__ == "__main__":
    main()
