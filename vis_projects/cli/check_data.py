"""Looks for every fault of a YouTube-VIS json and its images, and names the remedy of each.

  vis check-data instances.json JPEGImages/
"""

import argparse

NAME = "check-data"
HELP = "find faults in annotations and images"
EXIT_FAULTS = 1


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of the verb."""
    parser.add_argument("json", help="annotations")
    parser.add_argument("images", nargs="?", help="folder that file_names are relative to; left out: images unchecked")


def run(args: argparse.Namespace) -> int:
    """Runs the verb; 1 where there are faults."""
    from vis_projects.engine import list_faults

    faults = list_faults(args.json, args.images)
    print("\n".join(faults) if faults else f"{args.json}: no fault found")
    return EXIT_FAULTS if faults else 0
