"""Scores a results file of any program against annotations, both in YouTube-VIS format: AP and AR, and AP per class.

  vis eval results.json instances.json
"""

import argparse

NAME = "eval"
HELP = "AP and AR of a results.json"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of the verb."""
    parser.add_argument("results", help="json list of tracks")
    parser.add_argument("gt", help="json with annotations")
    parser.add_argument("--iou-type", choices=("segm", "bbox"), default="segm", help="IoU of masks or of boxes (segm)")


def run(args: argparse.Namespace) -> None:
    """Runs the verb."""
    from vis_projects.engine import score_results

    print(score_results(args.results, args.gt, iou_type=args.iou_type))
