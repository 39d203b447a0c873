"""Times each stage of a config on generated frames: decode, preprocess, model, associate, encode, draw.

  vis bench --config-file C.yaml --size 360x640 --frames 50 --opts MODEL.DEVICE cpu
"""

import argparse

NAME = "bench"
HELP = "time the stages of a config"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of the verb."""
    parser.add_argument("--config-file", required=True, help="yaml of the model, a path or a name in configs/")
    parser.add_argument("--size", default="360x640", metavar="HxW", help="size of the frames in pixels (360x640)")
    parser.add_argument("--frames", type=int, default=50, help="frames to time (50)")
    parser.add_argument("--warmup", type=int, default=5, help="frames before, not timed (5)")
    parser.add_argument("--opts", nargs=argparse.REMAINDER, default=[], help="KEY VALUE ... overrides of the config")


def run(args: argparse.Namespace) -> None:
    """Runs the verb."""
    from vis_projects.engine import bench_config

    print(bench_config(args.config_file, args.opts, size=args.size, frames=args.frames, warmup=args.warmup))
