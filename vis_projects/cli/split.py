"""Splits an annotated set into training and validation videos: the same seed gives the same files.

  vis split instances.json --val 0.1 --seed 0 --stratify class,length --out split/
"""

import argparse

NAME = "split"
HELP = "seeded training / validation split of a json"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of the verb."""
    parser.add_argument("json", help="annotations of all videos")
    parser.add_argument("--val", type=float, default=0.1, help="fraction of the videos to hold out (0.1)")
    parser.add_argument("--seed", type=int, default=0, help="(0)")
    parser.add_argument("--stratify", default="class,length", help="what both parts shall have alike (class,length)")
    parser.add_argument("--out", help="folder for the two files (beside the json)")


def run(args: argparse.Namespace) -> None:
    """Runs the verb."""
    from vis_projects.engine import split_file

    print(split_file(args.json, val_fraction=args.val, seed=args.seed,
                     stratify=tuple(name for name in args.stratify.split(",") if name), out_dir=args.out))
