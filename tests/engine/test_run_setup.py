"""What is derived from the data, and the errors when the data does not fit."""

import json
import logging
from argparse import Namespace

import pytest
import torch
from detectron2.checkpoint import Checkpointer
from detectron2.data import DatasetCatalog, MetadataCatalog

from tests.engine.toy_model import logging_restored, register_toy_set, toy_cfg
from vis_projects.engine import run_setup as module
from vis_projects.engine.dataset_facts import file_sha256
from vis_projects.engine.errors import ConfigError, DataError
from vis_projects.engine.run_record import run_record


@pytest.fixture
def toy_set(tmp_path):
    name = register_toy_set(tmp_path / "data", "toy_setup")
    yield name
    DatasetCatalog.remove(name)
    MetadataCatalog.remove(name)


def derived(toy_set, tmp_path, *, opts=(), train=True):
    cfg = toy_cfg(toy_set, tmp_path, opts=opts)
    module.derive_from_data(cfg, train=train)
    return cfg


def test_classes_identities_and_schedule_come_from_the_data(toy_set, tmp_path, caplog):
    with caplog.at_level(logging.INFO, logger="vis_projects"):
        cfg = derived(toy_set, tmp_path,
                      opts=["MODEL.VIS.NUM_CLASSES", 0, "SOLVER.NUM_EPOCHS", 3, "SOLVER.STEP_EPOCHS", (1, 2)])
    assert cfg.MODEL.VIS.NUM_CLASSES == cfg.MODEL.ROI_HEADS.NUM_CLASSES == cfg.MODEL.RETINANET.NUM_CLASSES == 3
    assert cfg.MODEL.VIS.NUM_IDENTITIES == 6  # 2 videos x 3 objects
    # 2 videos x 4 frames = 8 items an epoch, batches of 2: 4 iterations an epoch
    assert (cfg.SOLVER.MAX_ITER, cfg.SOLVER.STEPS) == (12, (4, 8))
    for text in ("NUM_CLASSES = 3", "NUM_IDENTITIES = 6", "MAX_ITER = 12"):
        assert text in caplog.text


def test_a_class_subset_counts(toy_set, tmp_path):
    cfg = derived(toy_set, tmp_path, opts=["MODEL.VIS.NUM_CLASSES", 0, "DATASETS.CLASS_SUBSET", ("disc",)])
    assert cfg.MODEL.VIS.NUM_CLASSES == 1


def test_without_epochs_the_iterations_stay(toy_set, tmp_path):
    assert derived(toy_set, tmp_path).SOLVER.MAX_ITER == 4


def test_evaluation_leaves_the_schedule_alone(toy_set, tmp_path):
    cfg = derived(toy_set, tmp_path, train=False, opts=["SOLVER.NUM_EPOCHS", 3])
    assert cfg.SOLVER.MAX_ITER == 4 and cfg.MODEL.VIS.NUM_CLASSES == 3


def test_another_number_of_classes_is_an_error_with_its_remedy(toy_set, tmp_path):
    with pytest.raises(ConfigError, match="NUM_CLASSES is 5, but toy_setup has 3 classes; set it to 0"):
        derived(toy_set, tmp_path, opts=["MODEL.VIS.NUM_CLASSES", 5])


def test_too_few_identities(toy_set, tmp_path):
    with pytest.raises(ConfigError, match="NUM_IDENTITIES is 2.*6 identities"):
        derived(toy_set, tmp_path, opts=["MODEL.VIS.NUM_IDENTITIES", 2])


def test_a_batch_that_cannot_be_cut_stops_early(toy_set, tmp_path):
    with pytest.raises(ConfigError, match="IMS_PER_BATCH 2.*multiple of 3"):
        derived(toy_set, tmp_path, opts=["SOLVER.ACCUM_ITERS", 3])


def test_fewer_processes_than_the_schedule_was_written_for(toy_set, tmp_path):
    # 1 process instead of 2: half the batch and learning rate, twice the iterations
    cfg = derived(toy_set, tmp_path, opts=["SOLVER.REFERENCE_WORLD_SIZE", 2, "SOLVER.IMS_PER_BATCH", 4])
    assert (cfg.SOLVER.IMS_PER_BATCH, cfg.SOLVER.BASE_LR, cfg.SOLVER.MAX_ITER) == (2, 0.025, 8)


def test_no_data_sets(toy_set, tmp_path):
    with pytest.raises(ConfigError, match="DATASETS.TRAIN is empty"):
        derived(toy_set, tmp_path, opts=["DATASETS.TRAIN", ()])
    with pytest.raises(ConfigError, match="DATASETS.TEST is empty"):
        derived(toy_set, tmp_path, opts=["DATASETS.TEST", ()], train=False)


def test_a_gpu_that_is_not_there_is_one_line(monkeypatch, tmp_path, caplog):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    cfg = toy_cfg("none", tmp_path, opts=["MODEL.DEVICE", "cuda"])
    with caplog.at_level(logging.WARNING, logger="vis_projects"):
        module.choose_device(cfg)
    assert cfg.MODEL.DEVICE == "cpu" and len(caplog.records) == 1
    module.choose_device(cfg)
    assert len(caplog.records) == 1


@pytest.mark.parametrize("train", [True, False])
def test_a_missing_frame_is_found_before_the_run(toy_set, tmp_path, train):
    frame = tmp_path / "data" / "JPEGImages" / "video1" / "00002.jpg"
    frame.unlink()
    with pytest.raises(DataError, match="00002.jpg"):
        derived(toy_set, tmp_path, train=train)


def test_setup_freezes_and_records_the_run(toy_set, tmp_path):
    config = tmp_path / "c.yaml"
    config.write_text("MODEL:\n  META_ARCHITECTURE: ToyVIS\n  DEVICE: cpu\n")
    opts = ["DATASETS.TRAIN", f"('{toy_set}',)", "DATASETS.TEST", f"('{toy_set}',)", "OUTPUT_DIR",
            str(tmp_path / "out"), "SOLVER.IMS_PER_BATCH", "2", "SOLVER.NUM_EPOCHS", "1"]
    with logging_restored():
        cfg = module.setup(Namespace(config_file=str(config), opts=opts, eval_only=False, resume=False))
    assert cfg.is_frozen() and cfg.SEED >= 0 and cfg.SOLVER.MAX_ITER == 4
    assert f"SEED: {cfg.SEED}" in (tmp_path / "out" / "config.yaml").read_text()
    record = json.loads((tmp_path / "out" / "run.json").read_text())
    assert record["seed"] == cfg.SEED and record["world_size"] == 1
    assert record["datasets"][toy_set]["sha256"] == file_sha256(tmp_path / "data" / "instances.json")
    assert any(line.startswith("torch") for line in record["environment"])
    assert record == run_record(cfg)


def test_eval_only_and_resume_take_the_last_checkpoint(tmp_path):
    cfg = toy_cfg("none", tmp_path, opts=["MODEL.WEIGHTS", "zoo.pkl"])
    module.use_last_checkpoint(cfg)
    assert cfg.MODEL.WEIGHTS == "zoo.pkl"
    Checkpointer(torch.nn.Linear(1, 1), str(tmp_path)).save("model_0000009")
    module.use_last_checkpoint(cfg)
    assert cfg.MODEL.WEIGHTS == str(tmp_path / "model_0000009.pth")
