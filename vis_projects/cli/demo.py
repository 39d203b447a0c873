"""Runs a model on your own video: a file, a folder of images, a glob, or a camera.

  vis demo --config-file C.yaml --input clip.mp4 --output out.mp4 --results out.json --opts MODEL.WEIGHTS W.pth
"""

import argparse

NAME = "demo"
HELP = "segment and track objects in your own video"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of the verb."""
    parser.add_argument("--config-file", required=True, help="yaml of the model, a path or a name in configs/")
    parser.add_argument("--input", required=True, help="video file, folder, quoted glob, or camera:0")
    parser.add_argument("--tracker", metavar="NAME",
                        help="gives the objects of any model, stock Mask R-CNN too, their ids: IoUTrackerPlus, "
                             "DeepSORTTracker, SeqTracker, OSMNTracker; without it the model's own")
    parser.add_argument("--output", help="video file (.mp4, .avi, ...) or folder for the drawn frames")
    parser.add_argument("--results", help="json file for the tracks, as VideoResults.load reads it")
    parser.add_argument("--score-threshold", type=float, default=0.5, help="leave out objects below it (0.5)")
    parser.add_argument("--classes", nargs="+", default=[], metavar="CLASS", help="keep these classes only")
    parser.add_argument("--max-frames", type=int, help="stop after so many frames")
    parser.add_argument("--opts", nargs=argparse.REMAINDER, default=[], help="KEY VALUE ... overrides of the config")


def run(args: argparse.Namespace) -> None:
    """Runs the verb."""
    from vis_projects.engine import run_demo

    print(run_demo(args.config_file, args.opts, args.input, tracker=args.tracker, output=args.output,
                   results=args.results, score_threshold=args.score_threshold, classes=args.classes,
                   max_frames=args.max_frames))
