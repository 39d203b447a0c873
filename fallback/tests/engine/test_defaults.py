"""Command line, set-up, predictor and the default trainer from a config to a resumed run."""

import argparse
import json

import numpy as np
import pytest
import torch
from detectron2.config import get_cfg
from detectron2.data import DatasetCatalog, MetadataCatalog
from detectron2.engine import (
    DefaultPredictor,
    DefaultTrainer,
    create_ddp_model,
    default_argument_parser,
    default_setup,
    default_writers,
)
from detectron2.evaluation import DatasetEvaluator
from detectron2.structures import BoxMode
from PIL import Image
from torch import nn

NAME = "fallback_engine_toy"


@pytest.fixture(scope="module")
def dataset(tmp_path_factory):
    root = tmp_path_factory.mktemp("images")

    def records():
        rng = np.random.RandomState(0)
        found = []
        for index in range(4):
            path = str(root / f"{index}.png")
            Image.fromarray(rng.randint(0, 255, (64, 80, 3)).astype(np.uint8)).save(path)
            found.append({
                "file_name": path, "height": 64, "width": 80, "image_id": index,
                "annotations": [{"bbox": [5, 5, 40, 40], "bbox_mode": BoxMode.XYXY_ABS, "category_id": index % 2,
                                 "segmentation": [[5, 5, 40, 5, 40, 40, 5, 40]], "iscrowd": 0}],
            })
        return found

    DatasetCatalog.register(NAME, records)
    MetadataCatalog.get(NAME).set(thing_classes=["a", "b"])
    yield NAME
    DatasetCatalog.remove(NAME)
    MetadataCatalog.remove(NAME)


def small_cfg(output_dir, dataset_name):
    cfg = get_cfg()
    cfg.merge_from_list([
        "MODEL.DEVICE", "cpu", "MODEL.MASK_ON", True, "MODEL.BACKBONE.NAME", "build_resnet_fpn_backbone",
        "MODEL.BACKBONE.FREEZE_AT", 0, "MODEL.RESNETS.DEPTH", 18, "MODEL.RESNETS.RES2_OUT_CHANNELS", 64,
        "MODEL.RESNETS.NORM", "BN", "MODEL.RESNETS.OUT_FEATURES", ["res2", "res3", "res4", "res5"],
        "MODEL.FPN.IN_FEATURES", ["res2", "res3", "res4", "res5"], "MODEL.FPN.OUT_CHANNELS", 16,
        "MODEL.RPN.IN_FEATURES", ["p2", "p3", "p4", "p5", "p6"], "MODEL.RPN.POST_NMS_TOPK_TRAIN", 20,
        "MODEL.RPN.POST_NMS_TOPK_TEST", 20, "MODEL.ANCHOR_GENERATOR.SIZES", [[16], [32], [64], [128], [256]],
        "MODEL.ROI_HEADS.NAME", "StandardROIHeads", "MODEL.ROI_HEADS.IN_FEATURES", ["p2", "p3", "p4", "p5"],
        "MODEL.ROI_HEADS.NUM_CLASSES", 2, "MODEL.ROI_HEADS.BATCH_SIZE_PER_IMAGE", 16,
        "MODEL.ROI_HEADS.SCORE_THRESH_TEST", 0.0, "MODEL.ROI_BOX_HEAD.NAME", "FastRCNNConvFCHead",
        "MODEL.ROI_BOX_HEAD.NUM_FC", 1, "MODEL.ROI_BOX_HEAD.FC_DIM", 16, "MODEL.ROI_BOX_HEAD.POOLER_RESOLUTION", 3,
        "MODEL.ROI_MASK_HEAD.NUM_CONV", 1, "MODEL.ROI_MASK_HEAD.CONV_DIM", 8, "TEST.DETECTIONS_PER_IMAGE", 5,
        "INPUT.MIN_SIZE_TRAIN", (64,), "INPUT.MIN_SIZE_TEST", 64, "DATALOADER.NUM_WORKERS", 0, "SEED", 3,
        "SOLVER.IMS_PER_BATCH", 2, "SOLVER.MAX_ITER", 4, "SOLVER.STEPS", (3,), "SOLVER.WARMUP_ITERS", 1,
        "SOLVER.CHECKPOINT_PERIOD", 2, "TEST.EVAL_PERIOD", 2, "OUTPUT_DIR", str(output_dir),
        "DATASETS.TRAIN", (dataset_name,), "DATASETS.TEST", (dataset_name,),
    ])
    return cfg


class Count(DatasetEvaluator):
    def reset(self):
        self.seen = 0

    def process(self, inputs, outputs):
        self.seen += len(outputs)

    def evaluate(self):
        return {"count": {"images": self.seen}}


class Trainer(DefaultTrainer):
    @classmethod
    def build_evaluator(cls, cfg, dataset_name):
        return Count()


def test_command_line():
    parsed = vars(default_argument_parser().parse_args([]))
    url = parsed.pop("dist_url")
    assert parsed == {"config_file": "", "resume": False, "eval_only": False, "num_gpus": 1, "num_machines": 1,
                      "machine_rank": 0, "opts": []}
    assert url.startswith("tcp://127.0.0.1:")
    assert default_argument_parser().parse_args(["--resume", "A.B", "3"]).opts == ["A.B", "3"]
    assert default_argument_parser("end").epilog == "end"


def test_setup_writes_config_and_log_and_seeds(tmp_path, dataset):
    cfg = small_cfg(tmp_path / "run", dataset)
    default_setup(cfg, argparse.Namespace(config_file="", eval_only=False))
    assert {"config.yaml", "log.txt"} <= {path.name for path in (tmp_path / "run").iterdir()}
    assert torch.initial_seed() == 3
    assert np.random.get_state()[1][0] == 3


def test_one_process_needs_no_wrapper():
    model = nn.Linear(1, 1)
    assert create_ddp_model(model) is model


def test_writers(tmp_path):
    names = [type(writer).__name__ for writer in default_writers(str(tmp_path / "run"), 10)]
    assert names == ["CommonMetricPrinter", "JSONWriter", "TensorboardXWriter"]


def test_trainer_trains_evaluates_saves_and_resumes(tmp_path, dataset):
    cfg = small_cfg(tmp_path, dataset)
    default_setup(cfg, argparse.Namespace(config_file=""))
    trainer = Trainer(cfg)
    trainer.resume_or_load(resume=False)
    assert trainer.train() is None
    names = {path.name for path in tmp_path.iterdir()}
    assert {"model_0000001.pth", "model_0000003.pth", "model_final.pth", "metrics.json"} <= names
    lines = [json.loads(line) for line in (tmp_path / "metrics.json").read_text().splitlines()]
    assert sum("count/images" in line for line in lines) == 2
    saved = torch.load(tmp_path / "model_0000001.pth", weights_only=True)
    assert sorted(saved["trainer"]) == ["_trainer", "hooks", "iteration"]
    assert saved["trainer"]["hooks"]["LRScheduler"]["last_epoch"] == 2

    (tmp_path / "last_checkpoint").write_text("model_0000001.pth")
    resumed = Trainer(cfg)
    resumed.resume_or_load(resume=True)
    assert resumed.start_iter == 2
    assert resumed.model is resumed._trainer.model and resumed.optimizer is resumed._trainer.optimizer

    assert Trainer.test(cfg, trainer.model) == {"count": {"images": 4}}
    assert DefaultTrainer.test(cfg, trainer.model) == {}  # no evaluator
    with pytest.raises(AssertionError):
        Trainer.test(cfg, trainer.model, [Count(), Count()])

    cfg.MODEL.WEIGHTS = str(tmp_path / "model_final.pth")
    predicted = DefaultPredictor(cfg)(np.zeros((60, 90, 3), np.uint8))["instances"]
    assert predicted.image_size == (60, 90) and len(predicted) <= 5


def test_expected_results_are_verified(tmp_path, dataset):
    cfg = small_cfg(tmp_path, dataset)
    cfg.SOLVER.MAX_ITER, cfg.SOLVER.STEPS, cfg.TEST.EVAL_PERIOD = 1, (), 0
    cfg.TEST.EXPECTED_RESULTS = [["count", "images", 4, 0]]
    assert Trainer(cfg).train() == {"count": {"images": 4}}


def test_scaling_to_more_processes(tmp_path, dataset):
    cfg = small_cfg(tmp_path, dataset)
    assert DefaultTrainer.auto_scale_workers(cfg, 4) is cfg
    cfg.SOLVER.REFERENCE_WORLD_SIZE = 2
    cfg.freeze()
    scaled = DefaultTrainer.auto_scale_workers(cfg, 4)
    assert scaled.is_frozen() and scaled.SOLVER.REFERENCE_WORLD_SIZE == 4
    assert (scaled.SOLVER.IMS_PER_BATCH, scaled.SOLVER.MAX_ITER, scaled.SOLVER.BASE_LR) == (4, 2, 0.002)
