"""Looks for every fault of a YouTube-VIS json and its images, and names place and remedy of each.

  vis check-data data/val/instances.json data/val/JPEGImages --json faults.json
  vis check-data data/val/instances.json data/val/JPEGImages --fix repaired.json

The last lines count each kind of fault. A note is something that may be meant so, and no fault. --fix writes a copy in
which all is repaired that needs no guess, boxes and areas after the masks, and lists what it did and what is left; the
original stays. The exit code is 1 where faults are left.
"""

import argparse

NAME = "check-data"
HELP = "find faults in annotations and images, and repair a copy"
EXIT_FAULTS = 1


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of the verb."""
    parser.add_argument("json", help="annotations")
    parser.add_argument("images", nargs="?", help="folder that file_names are relative to (JPEGImages beside the json; "
                        "where there is none, images stay unchecked)")
    parser.add_argument("--fix", metavar="OUT.json", help="write a repaired copy; must not exist")
    parser.add_argument("--json", dest="report", metavar="FILE", help="write all faults as json")


def run(args: argparse.Namespace) -> int:
    """Runs the verb; 1 where there are faults, in the copy where one is written."""
    from vis_projects.engine import fault_report, fix_data, list_faults

    if args.fix:
        repairs, faults = fix_data(args.json, args.fix, args.images)
        print(repairs)
    else:
        faults = list_faults(args.json, args.images)
    print(fault_report(args.fix or args.json, faults, args.report, args.images))
    return EXIT_FAULTS if faults else 0
