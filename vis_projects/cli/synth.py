"""Writes a SynthVIS data set (made-up videos with exact masks), or prints the statistics of one.

  vis synth --preset tiny --seed 0 --out datasets/synthvis/tiny
  vis synth stats datasets/synthvis/tiny/val/instances.json
"""

import argparse

NAME = "synth"
HELP = "generate a labelled data set"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of the verb."""
    parser.add_argument("stats", nargs="*", metavar="stats JSON", help="print the statistics of a generated json")
    parser.add_argument("--preset", choices=("tiny", "small", "full"), default="tiny", help="size of the set (tiny)")
    parser.add_argument("--seed", type=int, default=0, help="(0)")
    parser.add_argument("--out", help="folder to write to")
    parser.add_argument("--workers", type=int, default=1, help="processes (1); the files do not depend on it")
    parser.add_argument("--splits", nargs="+", default=["train", "val"], help="(train val)")
    parser.add_argument("--videos", type=int, help="videos per split, instead of the preset's number")


def run(args: argparse.Namespace) -> None:
    """Runs the verb."""
    from vis_projects.engine import generate_synthvis, synthvis_stats

    if args.stats:
        print(synthvis_stats(args.stats))
        return
    print(generate_synthvis(args.preset, args.seed, args.out, workers=args.workers, splits=args.splits,
                            videos=args.videos))
