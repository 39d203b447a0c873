"""Share of each tracker in the time of a frame with many objects: Mask R-CNN R-50 at 640 x 360, random weights.

    python benchmarks/tracker_cost.py [--objects 20] [--frames 10] [--only OSMN]

The detector works as it does on a real video, with as many boxes and masks; its random findings are then replaced by
moving squares, so that every tracker has the same tracks to keep. OSMN's network works too, and its random masks are
replaced by those of the frame before, else every square would start a new track in every frame. Times are those of
`vis bench`: "associate" is all of the tracker, its own network included; the share is of the whole frame without
drawing. On a CPU it is processor time, which other programs do not disturb.
"""

import argparse
import sys
import time
from pathlib import Path

import numpy as np
import torch
from detectron2.modeling import build_model
from detectron2.structures import Boxes, Instances
from torch import Tensor, nn

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from vis_projects.data import FrameTransform  # noqa: E402
from vis_projects.engine import StageTimer, VideoPredictor, load_config  # noqa: E402
from vis_projects.methods.osmn import OSMN, MaskPropagator  # noqa: E402

ZOO = "track_by_detection/"
REST = "mask_rcnn_R_50_FPN_1x_ytvis2019.yaml"
HEIGHT, WIDTH, SIDE, STEP = 360, 640, 50, 3
# tracker -> its config of the zoo
TRACKERS = {
    "IoUTracker+": "iou_tracker_plus_",
    "SORT": "sort_",
    "DeepSORT": "deepsort_",
    "SeqTracker": "seq_tracker_",
    "OSMN, light": "osmn_light_",
    "OSMN": "osmn_",
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
        self.detector, self.frame, self.found = detector, 0, 0
        self.shown: list[Tensor] = []  # masks of the last two frames
        columns = WIDTH // (SIDE + 10)
        place = torch.arange(objects)
        self.register_buffer("corners", torch.stack([place % columns, place // columns], dim=1).float() * (SIDE + 10))

    def at(self, frame: int) -> Tensor:
        """(objects, 2) upper left corners."""
        return self.corners + frame * STEP

    def masks(self, frame: int) -> Tensor:
        """bool (objects, HEIGHT, WIDTH)."""
        y, x = (torch.arange(length, device=self.corners.device) for length in (HEIGHT, WIDTH))
        left, top = self.at(frame)[:, :, None].unbind(1)
        inside_x, inside_y = (x >= left) & (x < left + SIDE), (y >= top) & (y < top + SIDE)
        return inside_y[:, :, None] & inside_x[:, None, :]

    def forward(self, items: list[dict]) -> list[dict]:
        """One frame in, one dict with `instances` out."""
        (item,) = items
        (output,) = self.detector(items)
        self.found += len(output["instances"])
        corners = self.at(self.frame)
        squares = Instances((item["height"], item["width"]))
        squares.pred_boxes = Boxes(torch.cat([corners, corners + SIDE], dim=1))
        squares.scores = torch.linspace(0.9, 0.5, len(corners), device=corners.device)
        squares.pred_classes = torch.zeros(len(corners), dtype=torch.int64, device=corners.device)
        squares.pred_masks = self.masks(self.frame)
        self.shown = [*self.shown[-1:], squares.pred_masks]
        self.frame += 1
        return [{"instances": squares}]


def give_masks_of_last_frame(propagator: MaskPropagator, squares: MovingSquares) -> None:
    """Lets a network work, and gives the squares of the frame before in its stead; there are no other tracks."""
    work = propagator.propagate

    def propagate(images: Tensor, size: tuple[int, int], factors: Tensor, locations: Tensor) -> Tensor:
        found = work(images, size, factors, locations)
        if len(found) == 0:  # the first frame
            return found
        masks = squares.shown[0]
        assert len(masks) == len(found), f"{len(found)} tracks of {len(masks)} squares"
        return masks

    propagator.propagate = propagate


def measure(config: str, objects: int, frames: int) -> tuple[StageTimer, float]:
    """Times of one tracker, after two frames of warm-up, and the mean count of what the detector itself found."""
    cfg = load_config(config, ["MODEL.WEIGHTS", ""])
    cfg.MODEL.DEVICE = "cuda" if torch.cuda.is_available() else "cpu"
    cfg.MODEL.ROI_HEADS.SCORE_THRESH_TEST, cfg.TEST.DETECTIONS_PER_IMAGE = 0.0, objects
    torch.manual_seed(0)
    model = build_model(cfg).eval()
    with torch.no_grad():  # random residual branches would leave no finite box
        for name, weight in model.detector.named_parameters():
            if name.endswith("conv3.weight"):
                weight.zero_()
    model.detector = squares = MovingSquares(model.detector, objects).to(model.device)
    if isinstance(model.tracker_network, OSMN):
        give_masks_of_last_frame(model.tracker_network.propagator, squares)
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
    parser.add_argument("--objects", type=int, default=20)
    parser.add_argument("--frames", type=int, default=10)
    parser.add_argument("--only", nargs="+", choices=list(TRACKERS), default=list(TRACKERS))
    args = parser.parse_args()
    print("| tracker | associate, ms | frame, ms | share of the frame | detector's own objects |")
    print("|---|---|---|---|---|")
    for name in args.only:
        timer, found = measure(ZOO + TRACKERS[name] + REST, args.objects, args.frames)
        associate, wall = 1e3 * timer.seconds("associate").sum(), 1e3 * timer.seconds("wall").sum()
        print(f"| {name} | {associate / timer.num_frames:.2f} | {wall / timer.num_frames:.1f} | {associate / wall:.2%} "
              f"| {found:.1f} |", flush=True)


if __name__ == "__main__":
    main()
