"""Converts labels to YouTube-VIS json and back. Sources: CVAT for video xml, labelme folders, COCO json with track
ids, COCO images, MOTS png and txt, DAVIS png, YouTube-VIS json; targets: YouTube-VIS json, COCO, MOTS png and txt,
DAVIS png. The format of the source is guessed where it is clear, and the guess is printed.

  vis convert data/val/instances.json mots --to mots-png
  vis convert mots back.json --images data/val/JPEGImages
  vis convert data/val/instances.json coco.json --from ytvis --to coco
  vis convert coco.json again.json --from coco

Other sources: task.xml of CVAT with --images frames/, a folder of labelme json files, Annotations/480p of DAVIS with
--categories davis_semantics.json.
"""

import argparse

NAME = "convert"
HELP = "labels of CVAT, labelme, COCO, MOTS, DAVIS to YouTube-VIS and back"
SOURCES = ("cvat", "labelme", "coco", "coco-images", "mots-png", "mots-txt", "davis", "ytvis")
TARGETS = ("ytvis", "coco", "mots-png", "mots-txt", "davis")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of the verb."""
    parser.add_argument("source", help="file or folder with the labels")
    parser.add_argument("out", help="file.json (ytvis, coco) or folder to write; must not exist")
    parser.add_argument("--from", dest="source_format", choices=SOURCES, help="format of the source (guessed)")
    parser.add_argument("--to", dest="target_format", choices=TARGETS, default="ytvis", help="format to write (ytvis)")
    parser.add_argument("--images", metavar="DIR", help="frames as DIR/<video>/<frame>, or those of a single video: "
                        "gives names, sizes and lengths")
    parser.add_argument("--videos", metavar="JSON", help="YouTube-VIS json, with or without labels, whose videos "
                        "(ids, names, sizes, frames) the labels belong to")
    parser.add_argument("--categories", metavar="FILE", help="names of the classes: a json with \"categories\", a "
                        "list, {name: id}, or {video: {object: name}} for DAVIS")
    parser.add_argument("--boxes-as-masks", action="store_true", help="take boxes without a mask as filled rectangles")
    parser.add_argument("--keep-overlaps", action="store_true", help="CVAT: do not cut masks by z_order; MOTS txt: "
                        "write masks that overlap, which MOTS tools refuse")


def run(args: argparse.Namespace) -> None:
    """Runs the verb."""
    from vis_projects.engine import convert_labels

    print(convert_labels(args.source, args.out, source_format=args.source_format, target_format=args.target_format,
                         images=args.images, videos=args.videos, categories=args.categories,
                         boxes_as_masks=args.boxes_as_masks, keep_overlaps=args.keep_overlaps))
