"""Draws results beside the ground truth, with missed objects, false finds and id switches framed and counted.

  vis show-results results.json --gt instances.json --images JPEGImages/ --out shown/
  vis show-results out.json --input clip.mp4 --out shown/        (a file that vis demo --results wrote)
"""

import argparse

from vis_projects.cli.show_data import add_shared_arguments

NAME = "show-results"
HELP = "pictures and videos of results, beside the ground truth"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of the verb."""
    parser.add_argument("results", help="results list of any program, or a file of vis demo --results")
    parser.add_argument("--gt", help="json of the data set of a results list, with or without annotations")
    parser.add_argument("--images", help="folder that file_names are relative to (JPEGImages beside the json)")
    parser.add_argument("--input", help="the video of a vis demo --results file: file, folder or quoted glob")
    parser.add_argument("--score-threshold", type=float, default=0.3, help="leave out tracks below it (0.3)")
    add_shared_arguments(parser)


def run(args: argparse.Namespace) -> None:
    """Runs the verb."""
    from vis_projects.engine import show_results

    print(show_results(args.results, args.out, gt=args.gt, image_root=args.images, source=args.input,
                       videos=args.videos, video_ids=args.video_ids, score_threshold=args.score_threshold,
                       draw_text=not args.no_text))
