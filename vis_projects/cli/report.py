"""Writes an HTML report of a run (loss curve, AP table, predictions beside ground truth) and overlay videos.

  vis report --output-dir output
  vis report --output-dir output --results results.json --metrics train/metrics.json --out report/

Config, metrics and results are those of the run in --output-dir, unless others are named.
"""

import argparse

NAME = "report"
HELP = "HTML report and overlay videos of a run"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of the verb."""
    parser.add_argument("--output-dir", required=True, help="OUTPUT_DIR of a run that has been evaluated")
    parser.add_argument("--config-file", help="yaml (OUTPUT_DIR/config.yaml)")
    parser.add_argument("--results", help="results of the first set of DATASETS.TEST (OUTPUT_DIR/inference/...)")
    parser.add_argument("--metrics", help="metrics of the training (OUTPUT_DIR/metrics.json)")
    parser.add_argument("--out", help="folder for the report (OUTPUT_DIR/report)")
    parser.add_argument("--videos", type=int, default=3, help="videos to draw (3)")
    parser.add_argument("--score-threshold", type=float, default=0.3, help="draw tracks from this score on (0.3)")


def run(args: argparse.Namespace) -> None:
    """Runs the verb."""
    from vis_projects.engine import write_run_report

    print(write_run_report(args.output_dir, config_file=args.config_file, results=args.results, metrics=args.metrics,
                           out=args.out, videos=args.videos, score_threshold=args.score_threshold))
