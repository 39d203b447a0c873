"""Entry point `vis`: finds the verb, parses its arguments, turns a user's mistake into one line."""

import argparse
import logging
import sys
from collections.abc import Sequence

from vis_projects.cli import (
    bench,
    check_data,
    convert,
    convert_weights,
    demo,
    env,
    evaluate,
    pack,
    report,
    show_data,
    show_results,
    split,
    synth,
)

VERBS = (
    demo, evaluate, report, show_data, show_results, synth, split, check_data, convert, convert_weights, pack, bench,
    env,
)


def build_parser() -> argparse.ArgumentParser:
    """The parser of all verbs."""
    parser = argparse.ArgumentParser(prog="vis", description="Video instance segmentation with vis_projects.")
    verbs = parser.add_subparsers(dest="verb", required=True, metavar="VERB")
    for verb in VERBS:
        verb_parser = verbs.add_parser(verb.NAME, help=verb.HELP, description=verb.__doc__,
                                       formatter_class=argparse.RawDescriptionHelpFormatter)
        verb.add_arguments(verb_parser)
        verb_parser.set_defaults(run=verb.run)
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Runs one command.

    Args:
        argv: arguments without the program's name; None takes those of the process.

    Returns:
        exit code: 0 good, 1 the verb found faults, 2 a user's mistake, 130 Ctrl-C.
    """
    args = build_parser().parse_args(argv)
    # imported late: --help answers at once
    from vis_projects.engine.errors import exit_code_of

    logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stderr)
    return exit_code_of(args.run, args)


if __name__ == "__main__":
    sys.exit(main())
