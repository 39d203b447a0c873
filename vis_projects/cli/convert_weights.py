"""Writes a checkpoint of another program under the names of a model here and says what fitted. Formats: adelaidet
(FCOS, CondInst, CrossVIS), masktrack_rcnn, stmask, and those that a plugin adds. Without --partial one name that is
missing, left over or of another shape stops it.

  vis convert-weights condinst.pth ours.pth --format adelaidet --config-file condinst/condinst_R_50_FPN_ms_1x_coco.yaml
"""

import argparse

NAME = "convert-weights"
HELP = "published checkpoints to ours, with a report of every name"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of the verb."""
    parser.add_argument("source", help="path or URL of a .pth file")
    parser.add_argument("out", help="file to write; must not exist")
    parser.add_argument("--format", required=True, help="where the checkpoint comes from; a wrong name lists all")
    parser.add_argument("--config-file", required=True, help="of the model")
    parser.add_argument("--opts", nargs="*", default=[], help="KEY VALUE ..., such as MODEL.VIS.NUM_CLASSES 80")
    parser.add_argument("--partial", action="store_true", help="write what fits even if not everything does")


def run(args: argparse.Namespace) -> None:
    """Runs the verb."""
    from vis_projects.engine import convert_weights

    print(convert_weights(args.source, args.out, weight_format=args.format, config_file=args.config_file,
                          opts=args.opts, partial=args.partial))
