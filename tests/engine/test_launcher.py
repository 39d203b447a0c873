"""Two gloo processes train and evaluate as one process does."""

import json
from argparse import Namespace

import pytest
import torch
from detectron2.data import DatasetCatalog, MetadataCatalog

from tests.engine.distributed_main import main
from tests.engine.toy_model import logging_restored, register_toy_set
from vis_projects.engine.errors import ConfigError, UserError
from vis_projects.engine.launcher import launch_run

YAML = """
MODEL:
  META_ARCHITECTURE: ToyVIS
  DEVICE: cpu
DATASETS:
  TRAIN: ("toy_distributed",)
  TEST: ("toy_distributed",)
INPUT:
  MIN_SIZE_TRAIN: (32, 48)
  FORMAT: RGB
DATALOADER:
  NUM_WORKERS: 0
SOLVER:
  IMS_PER_BATCH: 4
  MAX_ITER: 3
  STEPS: ()
  BASE_LR: 0.05
  WARMUP_ITERS: 0
SEED: 7
"""


@pytest.fixture
def args(tmp_path):
    register_toy_set(tmp_path / "data", "toy_distributed", videos=3)
    (tmp_path / "c.yaml").write_text(YAML)
    args = Namespace(config_file=str(tmp_path / "c.yaml"), opts=[], eval_only=False, resume=False, num_gpus=1,
                     num_machines=1, machine_rank=0, dist_url="auto", data=str(tmp_path / "data"))
    with logging_restored():
        yield args
    DatasetCatalog.remove("toy_distributed")
    MetadataCatalog.remove("toy_distributed")


def run(args, folder, num_gpus, opts=()):
    args.num_gpus, args.opts = num_gpus, ["OUTPUT_DIR", str(folder), *opts]
    launch_run(main, args)
    results = json.loads((folder / "inference" / "toy_distributed" / "results.json").read_text())
    order = sorted(results, key=lambda r: (r["video_id"], r["category_id"], json.dumps(r["segmentations"])))
    return torch.load(folder / "state.pth", weights_only=True), order


def test_two_processes_equal_one_with_two_accumulation_steps(args, tmp_path):
    two, two_results = run(args, tmp_path / "two", 2)
    one, one_results = run(args, tmp_path / "one", 1, ["SOLVER.ACCUM_ITERS", "2"])
    assert (two["world"], one["world"]) == (2, 1)
    for name, value in one["state"].items():
        assert torch.allclose(two["state"][name], value, rtol=0, atol=1e-6), name
    assert two_results == one_results and len(one_results) > 0
    metrics = [json.loads(line) for line in (tmp_path / "two" / "metrics.json").read_text().splitlines()]
    assert any("segm/AP" in line for line in metrics)


def test_a_mistake_inside_the_processes_is_one_line(args, tmp_path, capfd):
    frame = tmp_path / "data" / "JPEGImages" / "video0" / "00001.jpg"
    frame.write_bytes(b"no image")
    with pytest.raises(UserError, match="its error is above"):
        run(args, tmp_path / "out", 2)
    lines = [line for line in capfd.readouterr().err.splitlines() if line.startswith("error: ")]
    assert len(lines) >= 1 and "00001.jpg" in lines[0]


def test_a_mistake_stops_before_processes_start(args):
    args.opts, args.num_gpus = ["SOLVER.NOPE", "1"], 2
    with pytest.raises(ConfigError, match="SOLVER.NOPE"):
        launch_run(main, args)
