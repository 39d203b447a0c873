"""Draws annotated videos: a contact sheet and an overlay video of each, and a page with all of them.

  vis show-data instances.json JPEGImages/ --out shown/
"""

import argparse

NAME = "show-data"
HELP = "pictures and videos of annotations"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of the verb."""
    parser.add_argument("json", help="annotations")
    parser.add_argument("images", nargs="?", help="folder that file_names are relative to (JPEGImages beside the json)")
    add_shared_arguments(parser)


def add_shared_arguments(parser: argparse.ArgumentParser) -> None:
    """What show-data and show-results have alike."""
    parser.add_argument("--out", required=True, help="folder for index.html, sheets/ and videos/")
    parser.add_argument("--videos", type=int, default=4, help="how many, evenly spread over the set (4)")
    parser.add_argument("--video-ids", nargs="+", default=[], metavar="ID", help="these videos instead")
    parser.add_argument("--no-text", action="store_true", help="no labels on the objects")


def run(args: argparse.Namespace) -> None:
    """Runs the verb."""
    from vis_projects.engine import show_data

    print(show_data(args.json, args.images, args.out, videos=args.videos, video_ids=args.video_ids,
                    draw_text=not args.no_text))
