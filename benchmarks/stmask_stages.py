"""Time of STMask's parts per frame, with a chosen number of objects, random weights and a still of noise, batch 1.

    python benchmarks/stmask_stages.py --config stmask/stmask_ada_R_50_FPN_ytvis2019.yaml --size 360x640 --objects 10

Random weights find nothing, so the detector's choice is replaced: the same anchors in every frame, with masks that fill
their boxes; and the shift that the temporal network computes is none, so that the objects are found again. All other
parts run as they are. CUDA is waited for after each part.
"""

import argparse
import sys
import time
from collections.abc import Callable
from pathlib import Path

import torch
from torch import Tensor

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from detectron2.modeling import build_model  # noqa: E402

from vis_projects.engine.bench import NUM_CLASSES_IF_UNKNOWN, parse_size  # noqa: E402
from vis_projects.engine.config_file import load_config  # noqa: E402
from vis_projects.engine.stage_timer import StageTimer  # noqa: E402
from vis_projects.methods.stmask.frame import FrameGeometry  # noqa: E402

STAGES = ("backbone and FPN", "prototypes", "head", "choice and NMS", "masks, other", "temporal network",
          "shift of the memory", "association", "masks at output size")


class FixedChoice:
    """Runs the real choice for its time and then gives the same anchors, spread over the image, in every frame."""

    def __init__(self, selector, count: int) -> None:
        self.selector, self.count = selector, count

    def __call__(
        self, boxes: Tensor, probabilities: Tensor, centerness: Tensor | None
    ) -> tuple[Tensor, Tensor, Tensor]:
        self.selector(boxes, probabilities, centerness)
        # the second level, whose boxes are a tenth of the image wide
        anchors = torch.linspace(0.76 * len(boxes), 0.9 * len(boxes), self.count, device=boxes.device).long()
        return anchors, torch.full_like(boxes[anchors, 0], 0.9), torch.zeros_like(anchors)


def timed_model(
    config: str, opts: list[str], objects: int, clock: Callable[[], float]
) -> tuple[torch.nn.Module, StageTimer]:
    """A model whose parts report to the timer."""
    cfg = load_config(config, opts)
    cfg.MODEL.VIS.NUM_CLASSES = cfg.MODEL.VIS.NUM_CLASSES or NUM_CLASSES_IF_UNKNOWN
    torch.manual_seed(0)
    model = build_model(cfg).eval()
    timer = StageTimer(STAGES, device=model.device, clock=clock)
    model.backbone.forward = timer.wrap(model.backbone.forward, "backbone and FPN")
    model.proto_net.forward = timer.wrap(model.proto_net.forward, "prototypes")
    model.head.forward = timer.wrap(model.head.forward, "head")
    model.selector = timer.wrap(FixedChoice(model.selector, objects), "choice and NMS")
    model.detect = timer.wrap(model.detect, "masks, other")
    for layer, bias in ((model.head.bbox_layer, 0.0), (model.head.mask_layer, 1.0)):
        for name, parameter in layer.named_parameters():
            torch.nn.init.constant_(parameter, bias if name.endswith("bias") else 0.0)
    if model.temporal_net is not None:
        for layer in (model.temporal_net.fc, model.temporal_net.fc_coeff):
            torch.nn.init.zeros_(layer.weight)
        model.temporal_net.shift = timer.wrap(model.temporal_net.shift, "temporal network")
    FrameGeometry.paste = timer.wrap(FrameGeometry.paste, "masks at output size")
    return model, timer


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--config", required=True, help="yaml of the project's configs")
    parser.add_argument("--size", default="360x640", help="HxW of network input and output")
    parser.add_argument("--objects", type=int, default=10, help="detections of each frame")
    parser.add_argument("--frames", type=int, default=20)
    parser.add_argument("--warmup", type=int, default=3)
    parser.add_argument("--processor-time", action="store_true",
                        help="processor time of all threads instead of wall time, for a busy machine")
    parser.add_argument("opts", nargs=argparse.REMAINDER, help="KEY VALUE pairs of the config")
    args = parser.parse_args()
    clock = time.process_time if args.processor_time else time.perf_counter
    model, timer = timed_model(args.config, args.opts, args.objects, clock)
    height, width = parse_size(args.size)
    state = model.init_state({"height": height, "width": width})
    tracker = state.tracker
    tracker.observe = timer.wrap(tracker.observe, "shift of the memory")
    tracker.update = timer.wrap(tracker.update, "association")
    noise = torch.Generator().manual_seed(0)
    still = torch.randint(0, 256, (3, height, width), generator=noise, dtype=torch.uint8)
    shown = 0
    for number in range(args.warmup + args.frames):
        if number == args.warmup:
            timer.start()
        instances, state = model.step(still, state)
        if number >= args.warmup:
            timer.end_frame()
            shown += len(instances)
    kind = "processor time" if args.processor_time else "wall time"
    threads = f", {torch.get_num_threads()} threads" if model.device.type == "cpu" else ""
    print(f"{args.config}, {args.frames} frames of {height}x{width} after {args.warmup}, batch 1, "
          f"{model.device}{threads}, {kind}")
    print(f"{args.objects} detections, {shown / args.frames:.1f} shown a frame, {len(tracker.memory)} remembered at "
          f"the end, {1 / timer.seconds('wall').mean():.2f} frames/s; frames are in memory, results stay masks")
    print(timer.table())


if __name__ == "__main__":
    main()
