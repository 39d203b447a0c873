"""Trains and evaluates every row of a study with every seed and prints the table: AP and its spread at one budget.

    python benchmarks/ablation.py benchmarks/studies/crossvis.yaml --out output/crossvis [--jobs 2] [--only "CrossVIS"]

What is finished is kept: the same command goes on where it stopped. `--out` gets a folder per run, table.md and
losses.svg (the mean total loss of each row over its seeds).
"""

import argparse
import hashlib
import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from detectron2.data import MetadataCatalog

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from benchmarks.study import Study, StudyRow, read_study  # noqa: E402
from vis_projects.engine.config_file import load_config  # noqa: E402
from vis_projects.evaluation import evaluate_in_full  # noqa: E402
from vis_projects.visualization.loss_curve import loss_curve_svg, read_losses  # noqa: E402

OUTCOME = "outcome.json"
COLUMNS = ("AP", "AP50", "AP75", "AR10")


def run_once(study: Study, row: StudyRow, seed: int, out: Path) -> dict:
    """Trains (or takes the weights of another row) and evaluates one row with one seed; returns its outcome.

    The outcome holds `stats` and `tracking` as fractions and counts, `losses_end` (means of the last tenth of the
    training) and `cpu_seconds`, the processor time of training and evaluation with their start-up.
    """
    folder = out / row.folder / f"seed{seed}"
    opts = [*row.opts, "SEED", str(seed), "OUTPUT_DIR", str(folder)]
    command = [sys.executable, str(ROOT / "train_net.py"), "--config-file", row.config]
    if row.weights_of is not None:
        source = next(other for other in study.rows if other.name == row.weights_of)
        weights = out / source.folder / f"seed{seed}" / "model_final.pth"
        command, opts = [*command, "--eval-only"], [*opts, "MODEL.WEIGHTS", str(weights)]
    key = hashlib.sha256(json.dumps([row.config, opts]).encode()).hexdigest()
    kept = folder / OUTCOME
    if kept.is_file() and (outcome := json.loads(kept.read_text()))["key"] == key:
        return outcome
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "metrics.json").unlink(missing_ok=True)
    start = time.time()
    with open(folder / "stdout.txt", "w", encoding="utf-8") as log:
        done = subprocess.Popen([*command, *opts], stdout=log, stderr=subprocess.STDOUT, cwd=ROOT)
        _, status, usage = os.wait4(done.pid, 0)
    if status:
        raise RuntimeError(f"{row.name}, seed {seed} failed; the end of {folder / 'stdout.txt'} says why")
    outcome = {"key": key, "cpu_seconds": usage.ru_utime + usage.ru_stime, "wall_seconds": time.time() - start,
               **_scores(row, folder)}
    kept.write_text(json.dumps(outcome, indent=1))
    return outcome


def _scores(row: StudyRow, folder: Path) -> dict:
    (dataset,) = load_config(row.config, row.opts).DATASETS.TEST
    report = evaluate_in_full(folder / "inference" / dataset / "results.json", MetadataCatalog.get(dataset).json_file)
    full = report.to_json()
    scores = {"stats": full["stats"], "tracking": full["tracking"], "tables": full["tables"], "losses_end": {}}
    if row.weights_of is None:
        for name, values in read_losses(folder / "metrics.json").items():
            tail = [value for _, value in values][-max(1, len(values) // 10) :]
            scores["losses_end"][name] = sum(tail) / len(tail)
    return scores


def table(study: Study, outcomes: dict[tuple[str, int], dict]) -> str:
    """The outcomes as a markdown table: means over the seeds in percent, the AP of each seed, the spread.

    Args:
        outcomes: (name of the row, seed) -> outcome; what is missing is left out.
    """
    head = ["", *COLUMNS, "AP of each seed", "sd", "HOTA", "id switches", "total loss", "CPU min"]
    lines = [f"| {' | '.join(head)} |", "|" + "---|" * len(head)]
    for row in study.rows:
        found = [outcomes[row.name, seed] for seed in study.seeds if (row.name, seed) in outcomes]
        if not found:
            continue
        each = [100 * outcome["stats"]["AP"] for outcome in found]
        cells = [row.name, *(f"{100 * statistics.mean(o['stats'][c] for o in found):.1f}" for c in COLUMNS)]
        cells.append(" / ".join(f"{value:.1f}" for value in each))
        cells.append(f"{statistics.stdev(each):.1f}" if len(each) > 1 else "-")
        cells.append(_mean([o["tracking"]["pooled"].get("HOTA") for o in found], 100))
        cells.append(_mean([o["tracking"]["pooled"].get("IDSW") for o in found], 1))
        cells.append(_mean([o["losses_end"].get("total_loss") for o in found], 1, 2))
        cells.append(f"{statistics.mean(o['cpu_seconds'] for o in found) / 60:.1f}")
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def _mean(values: Sequence[float | None], factor: float, digits: int = 1) -> str:
    known = [value for value in values if value is not None]
    return f"{factor * statistics.mean(known):.{digits}f}" if known else "-"


def loss_curves(study: Study, out: Path) -> str | None:
    """The mean total loss of each trained row over its seeds, as an SVG; None before anything is trained."""
    series = {}
    for row in study.rows:
        by_iteration: dict[int, list[float]] = {}
        for path in sorted((out / row.folder).glob("seed*/metrics.json")):
            for iteration, value in read_losses(path).get("total_loss", []):
                by_iteration.setdefault(iteration, []).append(value)
        if by_iteration:
            series[row.name] = [(k, statistics.mean(values)) for k, values in sorted(by_iteration.items())]
    if not series:
        return None
    # a file of its own names its language, which a picture inside a page need not
    return loss_curve_svg(series).replace("<svg ", '<svg xmlns="http://www.w3.org/2000/svg" font-size="12" ', 1)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("study", help="yaml of benchmarks/studies")
    parser.add_argument("--out", type=Path, required=True, help="folder of the runs")
    parser.add_argument("--jobs", type=int, default=1, help="runs at once")
    parser.add_argument("--only", action="append", help="name of a row; may be repeated")
    args = parser.parse_args()
    study = read_study(args.study)
    rows = [row for row in study.rows if not args.only or row.name in args.only]
    outcomes: dict[tuple[str, int], dict] = {}
    # rows that take the weights of others come second
    for part in ([r for r in rows if r.weights_of is None], [r for r in rows if r.weights_of is not None]):
        jobs = [(row, seed) for seed in study.seeds for row in part]
        with ThreadPoolExecutor(args.jobs) as pool:
            done = pool.map(lambda job: run_once(study, *job, args.out), jobs)
            for number, ((row, seed), outcome) in enumerate(zip(jobs, done), 1):
                outcomes[row.name, seed] = outcome
                print(f"[{number}/{len(jobs)}] {row.name}, seed {seed}: AP {100 * outcome['stats']['AP']:.1f}, "
                      f"{outcome['wall_seconds'] / 60:.1f} min", flush=True)
                (args.out / "table.md").write_text(f"# {study.title}\n\n{table(study, outcomes)}\n", encoding="utf-8")
    curves = loss_curves(study, args.out)
    if curves is not None:
        (args.out / "losses.svg").write_text(curves, encoding="utf-8")
    print(f"\n{study.title}\n\n{table(study, outcomes)}")


if __name__ == "__main__":
    main()
