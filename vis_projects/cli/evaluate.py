"""Scores a results file of any program against annotations, both in YouTube-VIS format.

  vis eval results.json instances.json --out scores/
  vis eval results.json instances.json --oracle identity
  vis eval instances.json --oracle image --config-file C.yaml --out oracle/ --opts MODEL.WEIGHTS W.pth

Prints the twelve YouTube-VIS numbers; AP per class, size, length of the video, occlusion (OVIS) and attribute
(SynthVIS); HOTA, IDF1, identity switches and fragmentations; and by how much AP would rise without each kind of error.
The oracles give a result the identities of the ground truth, or a model its boxes, masks and classes. With --out a
call that was cut off goes on where it was.
"""

import argparse

NAME = "eval"
HELP = "AP, HOTA and an error report of a results.json"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of the verb."""
    parser.add_argument("results", nargs="?", help="json list of tracks; left out: those of a model with an oracle")
    parser.add_argument("gt", help="json with annotations")
    parser.add_argument("--iou-type", choices=("segm", "bbox"), default="segm", help="IoU of masks or of boxes (segm)")
    parser.add_argument("--track-score", type=float, default=0.3,
                        help="lowest score of tracks that HOTA, IDF1, switches and fragmentations see (0.3)")
    parser.add_argument("--ap-only", action="store_true", help="the twelve numbers and AP per class alone: faster")
    parser.add_argument("--json", help="file for all numbers, as fractions")
    parser.add_argument("--out", help="folder for report.txt, report.json, errors.png and what is finished already")
    parser.add_argument("--oracle", choices=("image", "identity"), help="what the ground truth lends")
    parser.add_argument("--config-file", help="yaml of the model to run with an oracle")
    parser.add_argument("--images", help="folder that file_names are relative to (JPEGImages beside the json)")
    parser.add_argument("--opts", nargs=argparse.REMAINDER, default=[], help="KEY VALUE ... overrides of the config")


def run(args: argparse.Namespace) -> None:
    """Runs the verb."""
    from vis_projects.engine import evaluate_results

    print(evaluate_results(args.results, args.gt, iou_type=args.iou_type, track_score=args.track_score,
                           ap_only=args.ap_only, oracle=args.oracle, config_file=args.config_file, opts=args.opts,
                           image_root=args.images, json_file=args.json, out=args.out))
