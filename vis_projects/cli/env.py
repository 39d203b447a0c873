"""Prints versions, devices, which Detectron2 runs, and which ops are native."""

import argparse

NAME = "env"
HELP = "versions, devices, native ops"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The verb has none."""


def run(args: argparse.Namespace) -> None:
    """Runs the verb."""
    from vis_projects.utils import env_report

    print(env_report())
