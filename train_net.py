"""Trains or evaluates a model of this project, in one or several processes.

    python train_net.py --config-file configs/masktrack_rcnn/masktrack_rcnn_R_50_FPN_1x_ytvis2019.yaml --num-gpus 8
    python train_net.py --config-file ... --eval-only MODEL.WEIGHTS output/model_final.pth
    python train_net.py --config-file ... --num-gpus 2 MODEL.DEVICE cpu

--resume goes on after the last checkpoint of OUTPUT_DIR; with --eval-only it goes on with an interrupted evaluation.
"""

import sys
from argparse import Namespace

from detectron2.engine import default_argument_parser

import vis_projects  # noqa: F401  registers models, mappers, trackers and data sets
from vis_projects.engine import VISTrainer, exit_code_of, launch_run, setup


def main(args: Namespace) -> None:
    """Body of each process."""
    cfg = setup(args)
    if args.eval_only:
        VISTrainer.evaluate(cfg, resume=args.resume)
        return
    trainer = VISTrainer(cfg)
    trainer.resume_or_load(resume=args.resume)
    trainer.train()


if __name__ == "__main__":
    sys.exit(exit_code_of(launch_run, main, default_argument_parser(epilog=__doc__).parse_args()))
