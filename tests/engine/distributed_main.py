"""Body of the processes of `test_launcher`: trains, evaluates, writes down the parameters."""

from argparse import Namespace
from pathlib import Path

import torch
from detectron2.utils import comm

from tests.engine.toy_model import register_toy_set
from vis_projects.engine.run_setup import setup
from vis_projects.engine.trainer import VISTrainer, unwrapped


def main(args: Namespace) -> None:
    register_toy_set(args.data, "toy_distributed", videos=3)
    cfg = setup(args)
    trainer = VISTrainer(cfg)
    trainer.resume_or_load(resume=False)
    trainer.train()
    if comm.is_main_process():
        state = unwrapped(trainer.model).state_dict()
        torch.save({"state": state, "world": comm.get_world_size()}, Path(cfg.OUTPUT_DIR) / "state.pth")
