"""Checks a results file against its split and zips it as evaluation servers take it; it uploads nothing.

  vis pack results.json --gt data/val/instances.json --out submission.zip

Every fault that would get the file refused is listed with its entry, video and remedy, and nothing is written.
"""

import argparse

NAME = "pack"
HELP = "check a results.json and zip it for a server"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of the verb."""
    parser.add_argument("results", help="json list of tracks")
    parser.add_argument("--gt", required=True, help="json of the split; it needs no annotations")
    parser.add_argument("--out", help="zip to write (beside the results)")


def run(args: argparse.Namespace) -> None:
    """Runs the verb."""
    from vis_projects.engine import pack_results

    print(pack_results(args.results, args.gt, args.out))
