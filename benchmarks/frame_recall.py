"""Recall of hidden and blurred frames for every row of a study that was run: means over its seeds.

    python benchmarks/frame_recall.py benchmarks/studies/stmask.yaml --out output/stmask

`--out` is the folder of `benchmarks/ablation.py`.
"""

import argparse
import statistics
import sys
from collections.abc import Sequence
from pathlib import Path

from detectron2.data import MetadataCatalog

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from benchmarks.study import Study, read_study  # noqa: E402
from vis_projects.engine.config_file import load_config  # noqa: E402
from vis_projects.evaluation import FrameRecall, frame_recall  # noqa: E402


def reports(study: Study, out: Path, max_tracks: int) -> dict[str, list[FrameRecall]]:
    """Name of each row -> what its finished seeds found."""
    found: dict[str, list[FrameRecall]] = {}
    for row in study.rows:
        (dataset,) = load_config(row.config, row.opts).DATASETS.TEST
        for seed in study.seeds:
            results = out / row.folder / f"seed{seed}" / "inference" / dataset / "results.json"
            if results.is_file():
                report = frame_recall(results, MetadataCatalog.get(dataset).json_file, max_tracks=max_tracks)
                found.setdefault(row.name, []).append(report)
    return found


def table(found: dict[str, Sequence[FrameRecall]]) -> str:
    """A markdown table: percent of the (object, frame) pairs of each group, whose number stands in the head."""
    groups = list(next(iter(found.values()))[0].groups.items())
    head = ["", *(f"{name} ({pairs})" for name, (pairs, _) in groups), "false, per run"]
    lines = [f"| {' | '.join(head)} |", "|" + "---|" * len(head)]
    for name, seeds in found.items():
        cells = [f"{100 * statistics.mean(report.recall(group) for report in seeds):.1f}" for group, _ in groups]
        lines.append(f"| {' | '.join([name, *cells, f'{statistics.mean(report.false for report in seeds):.0f}'])} |")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("study", help="yaml of benchmarks/studies")
    parser.add_argument("--out", type=Path, required=True, help="folder of the runs")
    parser.add_argument("--max-tracks", type=int, default=10, help="tracks of each video that take part")
    args = parser.parse_args()
    found = reports(read_study(args.study), args.out, args.max_tracks)
    if not found:
        sys.exit(f"no results.json of a row of {args.study} in {args.out}; run benchmarks/ablation.py first")
    print(table(found))


if __name__ == "__main__":
    main()
