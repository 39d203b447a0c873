"""How well OSMN's masks follow objects, and what that does for association, with true masks of every frame.

    python benchmarks/mask_propagation.py --weights output/osmn/model_final.pth [--videos 6] [KEY VALUE ...]

Per object and frame: IoU of the true mask with the mask propagated from the true place in the frame before; with the
mask of the frame before left where it was; and with the mask propagated from frame to frame since the first sight,
which alone is given. Then the true objects of each frame go through OSMNTracker and IoUTracker+; a switch is an object
whose id is not that of its last sight. The set is DATASETS.TEST of the command line, else synthvis_tiny_val.
"""

import argparse
import statistics
import sys
from collections import defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path

import torch
from detectron2.config import CfgNode
from detectron2.data import DatasetCatalog
from detectron2.data.transforms import TransformList
from detectron2.structures import Instances
from torch import Tensor

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from vis_projects.data import FrameTransform, LazyFrames  # noqa: E402
from vis_projects.data.frame_annotations import frame_instances  # noqa: E402
from vis_projects.engine import load_config  # noqa: E402
from vis_projects.engine.checkpointer import VISCheckpointer  # noqa: E402
from vis_projects.layers import mask_iou  # noqa: E402
from vis_projects.methods.osmn import MaskPropagator  # noqa: E402
from vis_projects.tracking import build_tracker, build_tracker_network  # noqa: E402

CONFIG = "configs/quick_schedules/osmn_narrow_synthvis_tiny.yaml"
TRACKERS = {"OSMN": "OSMNTracker", "IoUTracker+": "IoUTrackerPlus"}
UNMOVED = "frame before, unmoved"
PROPAGATED = "propagated from the frame before"
CHAINED = "propagated since first sight"

Video = list[tuple[Tensor, Instances]]


def read_video(cfg: CfgNode, record: Mapping) -> Video:
    """Frames as the network sees them, each with its true objects at the original size."""
    size = (record["height"], record["width"])
    frames = LazyFrames(record["file_names"], FrameTransform.from_cfg(cfg), video_id=record["video_id"], size=size)
    return [(frame, frame_instances(objects, TransformList([]), size))
            for frame, objects in zip(frames, record["annotations"], strict=True)]


def overlaps(net: MaskPropagator, video: Video) -> Iterator[tuple[str, float]]:
    """(kind, IoU) of each object in each frame but the first that shows it."""
    factors, chained, before = {}, {}, {}
    for frame, truth in video:
        images, size, ids = net.prepare(frame), tuple(frame.shape[-2:]), truth.gt_ids.tolist()
        true = dict(zip(ids, at_size(truth.gt_masks.tensor, size)))
        for kind, places in ((PROPAGATED, before), (CHAINED, chained)):
            known = [k for k in ids if k in places]
            if not known:
                continue
            where = torch.stack([net.locate(places[k][None])[0] for k in known])
            found = net.propagate(images, size, torch.stack([factors[k] for k in known]), where)
            for k, mask in zip(known, found):
                yield kind, float(mask_iou(mask[None], true[k][None]))
                if kind == PROPAGATED:
                    yield UNMOVED, float(mask_iou(before[k][None], true[k][None]))
                elif mask.any():
                    chained[k] = mask
        looks = net.describe(images, torch.stack([*true.values()])) if true else []
        for k, look in zip(ids, looks):
            factors.setdefault(k, look)
            chained.setdefault(k, true[k])
        before = true


def at_size(masks: Tensor, size: tuple[int, int]) -> Tensor:
    """bool (n, H, W) to bool (n, *size)."""
    return torch.nn.functional.interpolate(masks[:, None].float(), size=size, mode="nearest-exact")[:, 0] > 0


def switches(tracker, video: Video) -> int:
    """Objects whose id is not that of their last sight, over all frames."""
    last, count = {}, 0
    for frame, truth in video:
        given = Instances(
            truth.image_size, pred_boxes=truth.gt_boxes, pred_classes=truth.gt_classes, gt_ids=truth.gt_ids,
            pred_masks=truth.gt_masks.tensor, scores=torch.ones(len(truth)),
        )
        if tracker.needs_frame:
            tracker.see(frame)
        tracked = tracker.update(given)
        for k, track in zip(tracked.gt_ids.tolist(), tracked.pred_ids.tolist()):
            count += last.get(k, track) != track
            last[k] = track
    return count


def tracker_config(cfg: CfgNode, name: str) -> CfgNode:
    """The config with that tracker."""
    changed = cfg.clone()
    changed.defrost()
    changed.MODEL.VIS.TRACKER.NAME = name
    return changed


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--weights", required=True, help="checkpoint of a training of OSMN")
    parser.add_argument("--config", default=CONFIG, help="its config")
    parser.add_argument("--videos", type=int, default=0, help="the first ones only; 0: all")
    parser.add_argument("opts", nargs=argparse.REMAINDER, help="KEY VALUE pairs of the config")
    args = parser.parse_args()
    cfg = load_config(args.config, args.opts)
    cfgs = {name: tracker_config(cfg, tracker) for name, tracker in TRACKERS.items()}
    network = build_tracker_network(cfgs["OSMN"])
    VISCheckpointer(network, min_matched=1.0).load(args.weights, checkpointables=[])
    (dataset,) = cfg.DATASETS.TEST or ("synthvis_tiny_val",)
    records = DatasetCatalog.get(dataset)[: args.videos or None]
    found, lost = defaultdict(list), dict.fromkeys(TRACKERS, 0)
    for record in records:
        video = read_video(cfg, record)
        for kind, iou in overlaps(network.propagator, video):
            found[kind].append(iou)
        for name in TRACKERS:
            lost[name] += switches(build_tracker(cfgs[name], network), video)
    print(f"{dataset}: {len(records)} videos, {len(found[CHAINED])} objects in frames after their first")
    for kind in (UNMOVED, PROPAGATED, CHAINED):
        print(f"| {kind} | {statistics.mean(found[kind]):.3f} | {len(found[kind])} |")
    for name, count in lost.items():
        print(f"| switches with {name} | {count} | |")


if __name__ == "__main__":
    main()
