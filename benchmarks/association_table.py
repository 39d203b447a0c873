"""Tables 1 to 3 of "Video Instance Segmentation" on SynthVIS-tiny: trackers, cues and oracles on the same detections.

    vis synth datasets/synthvis_tiny --preset tiny && DETECTRON2_DATASETS=datasets \\
        python benchmarks/association_table.py --out output/association [--seeds 1 2 3] [--detector-iters 800]

Trains, per seed, a small MaskTrack R-CNN, DeepSORT's appearance network and two OSMNs, each by train_net.py and only if
its checkpoint is not in `--out` yet. Then every tracker gets the per-frame detections of that MaskTrack R-CNN, whose
own tracker is one of the rows; no row detects anew. `--out` gets a folder per row, and table.md.
"""

import argparse
import statistics
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path

from detectron2.config import CfgNode
from detectron2.data import MetadataCatalog
from detectron2.modeling import build_model

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from benchmarks.detect_once import DetectOnce  # noqa: E402
from vis_projects.engine import VISTrainer, load_config  # noqa: E402
from vis_projects.engine.run_setup import derive_from_data  # noqa: E402
from vis_projects.engine.tracker_choice import load_tracker_network  # noqa: E402
from vis_projects.engine.trainer import load_for_inference  # noqa: E402
from vis_projects.evaluation import evaluate_in_full  # noqa: E402
from vis_projects.methods.track_by_detection import TrackByDetection  # noqa: E402
from vis_projects.tracking import build_tracker, build_tracker_network, is_offline  # noqa: E402

QUICK = "configs/quick_schedules/"
DETECTOR = QUICK + "masktrack_rcnn_R_50_FPN_narrow_synthvis_tiny.yaml"
TRACKED = QUICK + "track_by_detection_R_50_FPN_narrow_synthvis_tiny.yaml"
# what is trained: part, config, iterations
PARTS = {
    "detector": (DETECTOR, 800),
    "reid": (QUICK + "reid_network_narrow_synthvis_tiny.yaml", 500),
    "osmn": (QUICK + "osmn_narrow_synthvis_tiny.yaml", 500),
    "osmn-windows": (QUICK + "osmn_windows_narrow_synthvis_tiny.yaml", 500),
}
NAME, COEFFICIENTS = "MODEL.VIS.TRACKER.NAME", "MODEL.MASKTRACK.MATCH_COEFF"
# row -> (overrides, part that holds the weights of its tracker)
TABLE_1 = {
    "IoUTracker+": ([NAME, "IoUTrackerPlus"], None),
    "OSMN": ([NAME, "OSMNTracker"], "osmn"),
    "OSMN in windows": (
        [NAME, "OSMNTracker", "MODEL.OSMN.WINDOW_SPREADS", "4.0", "MODEL.OSMN.WINDOW_SIZE", "64",
         "MODEL.OSMN.MASK_THRESH", "0.7"], "osmn-windows"
    ),
    "DeepSORT": ([NAME, "DeepSORTTracker"], "reid"),
    "DeepSORT, scores from 0.3 on": ([NAME, "DeepSORTTracker", "MODEL.DEEPSORT.MIN_SCORE", "0.3"], "reid"),
    "DeepSORT, motion of 6 frames/s": (
        [NAME, "DeepSORTTracker", "MODEL.DEEPSORT.POSITION_STD", "0.1", "MODEL.DEEPSORT.VELOCITY_STD", "0.03125"],
        "reid",
    ),
    "SORT (DeepSORT without appearance)": ([NAME, "DeepSORTTracker", "MODEL.DEEPSORT.APPEARANCE", "False"], None),
    "SeqTracker": ([NAME, "SeqTracker"], None),
    "SeqTracker, shortest track 4 frames": ([NAME, "SeqTracker", "MODEL.SEQ_TRACKER.MIN_LENGTH", "4"], None),
    "MaskTrack R-CNN": ([NAME, "MaskTrackRCNNTracker"], None),
}
TABLE_2 = {
    f"{'x' if det else '-'} | {'x' if iou else '-'} | {'x' if cat else '-'}": (
        [NAME, "MaskTrackRCNNTracker", COEFFICIENTS, f"({float(det)}, {2.0 * iou}, {10.0 * cat})"], None
    )
    for cat in (0, 1) for iou in (0, 1) for det in (0, 1)
}
TABLE_3 = ("image", "identity")
STATS = ("AP", "AP50", "AP75", "AR1", "AR10")
POOLED = ("HOTA", "AssA", "IDSW")


def train(part: str, seed: int, out: Path, iterations: int) -> tuple[Path, float]:
    """Trains a part unless its checkpoint is there; returns the checkpoint and the seconds that it took."""
    folder = out / part / f"seed{seed}"
    weights = folder / "model_final.pth"
    start = time.time()
    if not weights.is_file():
        opts = ["SEED", seed, "OUTPUT_DIR", folder, "SOLVER.MAX_ITER", iterations, "DATASETS.TEST", "()"]
        command = [sys.executable, "train_net.py", "--config-file", PARTS[part][0], "--resume", *map(str, opts)]
        print(f"training {part}, seed {seed}, {iterations} iterations", flush=True)
        folder.mkdir(parents=True, exist_ok=True)
        with open(folder / "stdout.txt", "a", encoding="utf-8") as log:
            subprocess.run(command, cwd=ROOT, stdout=log, stderr=subprocess.STDOUT, check=True)
    return weights, time.time() - start


def row_config(opts: Sequence[str], weights: Mapping[str, Path], part: str | None, folder: Path) -> CfgNode:
    """The config of one row, its classes taken from the data."""
    opts = [*opts, "MODEL.WEIGHTS", str(weights["detector"]), "OUTPUT_DIR", str(folder)]
    if part is not None:
        opts += ["MODEL.VIS.TRACKER.WEIGHTS", str(weights[part])]
    cfg = load_config(TRACKED, opts)
    derive_from_data(cfg, train=False)
    return cfg


def tracked(detector: DetectOnce, cfg: CfgNode) -> TrackByDetection:
    """The row's tracker behind the detections that all rows share."""
    network = build_tracker_network(cfg)
    model = TrackByDetection(
        detector=detector, tracker_network=network, offline=is_offline(cfg),
        tracker_factory=partial(build_tracker, cfg, network),
        pixel_mean=tuple(cfg.MODEL.PIXEL_MEAN), pixel_std=tuple(cfg.MODEL.PIXEL_STD),
    )
    load_tracker_network(cfg, model)
    return model.eval()


def scores(cfg: CfgNode, model: TrackByDetection) -> dict[str, float]:
    """Evaluates and returns `STATS` and `POOLED` as fractions and counts, and the seconds of it all."""
    (dataset,) = cfg.DATASETS.TEST
    start = time.time()
    VISTrainer.test(cfg, model)
    folder = f"{dataset}_{cfg.TEST.VIDEO.ORACLE}_oracle" if cfg.TEST.VIDEO.ORACLE else dataset
    results = Path(cfg.OUTPUT_DIR) / "inference" / folder / "results.json"
    report = evaluate_in_full(results, MetadataCatalog.get(dataset).json_file).to_json()
    found = {name: report["stats"][name] for name in STATS}
    return {**found, **{name: report["tracking"]["pooled"].get(name) for name in POOLED}, "s": time.time() - start}


def run_seed(seed: int, out: Path, iterations: Mapping[str, int]) -> dict[tuple[int, str], dict[str, float]]:
    """All rows of one seed: (table, row) -> scores."""
    weights = {part: train(part, seed, out, iterations[part])[0] for part in PARTS}
    base = row_config([], weights, None, out)
    plain = base.clone()
    plain.MODEL.META_ARCHITECTURE, plain.MODEL.VIS.TRACKER.NAME = "MaskTrackRCNN", "MaskTrackRCNNTracker"
    own = build_model(plain)
    load_for_inference(plain, own)
    once, found = DetectOnce(own.eval()), {}
    for number, rows in ((1, TABLE_1), (2, TABLE_2)):
        for row, (opts, part) in rows.items():
            folder = out / f"table{number}" / "".join(c if c.isalnum() else "_" for c in row) / f"seed{seed}"
            cfg = row_config(opts, weights, part, folder)
            found[number, row] = scores(cfg, tracked(once, cfg))
            print(f"table {number}, {row}: AP {100 * found[number, row]['AP']:.1f}", flush=True)
    for oracle in TABLE_3:
        cfg = plain.clone()
        cfg.TEST.VIDEO.ORACLE, cfg.OUTPUT_DIR = oracle, str(out / "table3" / oracle / f"seed{seed}")
        found[3, oracle] = scores(cfg, own)
        print(f"table 3, {oracle}: AP {100 * found[3, oracle]['AP']:.1f}", flush=True)
    print(f"seed {seed}: {once.calls} frames went through the detector for tables 1 and 2")
    return found


def tables(found: Mapping[int, Mapping[tuple[int, str], Mapping[str, float]]]) -> str:
    """Markdown of the three tables: means over the seeds, in percent, and the AP of each seed.

    Args:
        found: seed -> (table, row) -> scores.
    """
    heads = {1: "tracker", 2: "Det | IoU | Cat", 3: "oracle"}
    parts = []
    for number, head in heads.items():
        rows = [row for table, row in next(iter(found.values())) if table == number]
        columns = [head, *STATS, "HOTA", "AssA", "id switches", "AP of each seed"]
        lines = [f"| {' | '.join(columns)} |", "|" + "---|" * (len(columns) + head.count("|"))]
        for row in rows:
            each = [seed_scores[number, row] for seed_scores in found.values()]
            cells = [row, *(_mean([s[name] for s in each], 100) for name in (*STATS, *POOLED[:2]))]
            cells += [_mean([s["IDSW"] for s in each], 1), " / ".join(f"{100 * s['AP']:.1f}" for s in each)]
            lines.append(f"| {' | '.join(cells)} |")
        parts.append(f"Table {number}\n\n" + "\n".join(lines))
    return "\n\n".join(parts)


def _mean(values: Sequence[float | None], factor: float) -> str:
    known = [value for value in values if value is not None]
    return f"{factor * statistics.mean(known):.1f}" if known else "-"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True, help="folder of the runs")
    parser.add_argument("--seeds", type=int, nargs="+", default=[1], help="of the trainings (1)")
    for part, (_, iterations) in PARTS.items():
        text = f"iterations of {part} ({iterations})"
        parser.add_argument(f"--{part}-iters", type=int, default=iterations, help=text)
    args = parser.parse_args()
    out = args.out.resolve()
    found = {}
    for seed in args.seeds:
        found[seed] = run_seed(seed, out, {part: getattr(args, f"{part}_iters".replace("-", "_")) for part in PARTS})
        text = tables(found)
        (out / "table.md").write_text(text + "\n", encoding="utf-8")
    print("\n" + text)


if __name__ == "__main__":
    main()
