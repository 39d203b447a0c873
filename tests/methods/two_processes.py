"""For tests of any method: trains a quick schedule in two gloo processes on a toy set, evaluates, and compares both."""

import argparse
import hashlib
import json
from argparse import Namespace
from pathlib import Path

import torch
from detectron2.data import DatasetCatalog, MetadataCatalog
from detectron2.utils import comm

from tests.engine.toy_model import logging_restored
from tests.toy_ytvis import write_toy_ytvis
from vis_projects import register_ytvis
from vis_projects.engine import VISTrainer, launch_run, setup
from vis_projects.engine.trainer import unwrapped

NAME = "toy_for_two_processes"


def body(args: Namespace) -> None:
    """What each process does: two steps, an evaluation, and a fingerprint of its parameters."""
    if NAME not in DatasetCatalog.list():
        register_ytvis(NAME, str(Path(args.data) / "instances.json"), str(Path(args.data) / "JPEGImages"))
    cfg = setup(args)
    trainer = VISTrainer(cfg)
    trainer.resume_or_load(resume=False)
    trainer.train()
    parameters = torch.cat([p.detach().flatten() for p in unwrapped(trainer.model).parameters()])
    facts = {"hash": hashlib.sha256(parameters.numpy().tobytes()).hexdigest(), "world": comm.get_world_size()}
    (Path(cfg.OUTPUT_DIR) / f"rank{comm.get_rank()}.json").write_text(json.dumps(facts))


def train_two_processes(config: str, folder: Path, opts: tuple[str, ...] = ()) -> tuple[list[dict], list[dict]]:
    """(facts of both processes, lines of metrics.json)."""
    data, out = folder / "data", folder / "out"
    register_ytvis(NAME, *write_toy_ytvis(data, videos=3, frames=3))
    every = ["DATASETS.TRAIN", f"('{NAME}',)", "DATASETS.TEST", f"('{NAME}',)", "OUTPUT_DIR", str(out), "SEED", "3",
             "MODEL.DEVICE", "cpu", "SOLVER.IMS_PER_BATCH", "4", "SOLVER.MAX_ITER", "2", "DATALOADER.NUM_WORKERS", "0"]
    args = argparse.Namespace(config_file=config, opts=[*every, *opts], eval_only=False, resume=False, num_gpus=2,
                              num_machines=1, machine_rank=0, dist_url="auto", data=str(data))
    try:
        with logging_restored():
            launch_run(body, args)
    finally:
        DatasetCatalog.remove(NAME)
        MetadataCatalog.remove(NAME)
    facts = [json.loads((out / f"rank{rank}.json").read_text()) for rank in (0, 1)]
    return facts, [json.loads(line) for line in (out / "metrics.json").read_text().splitlines()]
