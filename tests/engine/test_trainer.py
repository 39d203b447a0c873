"""Training: same seed same losses, resume, workers, accumulation, evaluation on the way."""

import json

import pytest
import torch
from detectron2.data import DatasetCatalog, MetadataCatalog
from detectron2.engine import hooks
from detectron2.utils.events import get_event_storage

from tests.engine.toy_model import ToyVIS, register_toy_set, toy_cfg
from vis_projects.engine.checkpointer import read_entry
from vis_projects.engine.errors import CheckpointError, DataError
from vis_projects.engine.trainer import TimedIterator, VISTrainer, load_for_inference


@pytest.fixture(scope="module")
def toy_set(tmp_path_factory):
    name = register_toy_set(tmp_path_factory.mktemp("data"), "toy_trainer")
    yield name
    DatasetCatalog.remove(name)
    MetadataCatalog.remove(name)


def train(toy_set, folder, *, opts=(), resume=False, stop_at=None):
    """Trains and returns (the total loss of each iteration, trainer)."""
    cfg = toy_cfg(toy_set, folder, opts=["DATASETS.TEST", (), *opts])
    torch.manual_seed(cfg.SEED)
    trainer = VISTrainer(cfg)
    losses = {}

    def note(trainer):
        losses[trainer.iter] = get_event_storage().latest()["total_loss"][0]
        if trainer.iter == stop_at:
            raise KeyboardInterrupt

    trainer.register_hooks([hooks.CallbackHook(after_step=note)])
    trainer.resume_or_load(resume=resume)
    try:
        trainer.train()
    except KeyboardInterrupt:
        assert stop_at is not None
    return losses, trainer


def parameters(trainer) -> torch.Tensor:
    return torch.cat([p.detach().flatten() for p in trainer.model.parameters()])


def test_same_seed_same_20_losses_and_resume_gives_the_same_last_10(toy_set, tmp_path):
    opts = ["SOLVER.MAX_ITER", 20, "SOLVER.CHECKPOINT_PERIOD", 10, "SOLVER.STEPS", (12,), "SOLVER.CLIP_TOTAL_NORM", 1.0]
    first, trainer = train(toy_set, tmp_path / "a", opts=opts)
    again, _ = train(toy_set, tmp_path / "b", opts=opts)
    assert len(first) == 20 and first == again and len(set(first.values())) == 20
    train(toy_set, tmp_path / "c", opts=opts, stop_at=13)
    resumed, resumed_trainer = train(toy_set, tmp_path / "c", opts=[*opts, "DATALOADER.NUM_WORKERS", 1], resume=True)
    assert resumed == {i: loss for i, loss in first.items() if i >= 10}
    assert torch.equal(parameters(trainer), parameters(resumed_trainer))


def test_another_seed_gives_other_losses(toy_set, tmp_path):
    assert train(toy_set, tmp_path / "a")[0] != train(toy_set, tmp_path / "b", opts=["SEED", 8])[0]


def test_workers_do_not_change_the_losses(toy_set, tmp_path):
    none, _ = train(toy_set, tmp_path / "a")
    two, _ = train(toy_set, tmp_path / "b", opts=["DATALOADER.NUM_WORKERS", 2])
    assert none == two


def test_resume_keeps_the_seed_of_the_run(toy_set, tmp_path):
    opts = ["SOLVER.CHECKPOINT_PERIOD", 2]
    first, _ = train(toy_set, tmp_path / "a", opts=opts)
    train(toy_set, tmp_path / "b", opts=opts, stop_at=2)
    resumed, _ = train(toy_set, tmp_path / "b", opts=[*opts, "SEED", 99], resume=True)
    assert resumed == {i: loss for i, loss in first.items() if i >= 2}


def test_a_finished_run_resumes_to_nothing(toy_set, tmp_path):
    train(toy_set, tmp_path)
    assert train(toy_set, tmp_path, resume=True)[0] == {}


def test_evaluation_during_training_and_metrics_file(toy_set, tmp_path):
    cfg = toy_cfg(toy_set, tmp_path, opts=["TEST.EVAL_PERIOD", 2])
    trainer = VISTrainer(cfg)
    trainer.resume_or_load(resume=False)
    results = trainer.train()
    assert "AP" in results["segm"] and trainer.model.training
    lines = [json.loads(line) for line in (tmp_path / "metrics.json").read_text().splitlines()]
    assert {"total_loss", "loss_count", "lr", "data_time", "segm/AP"} <= set().union(*lines)
    assert (tmp_path / "inference" / toy_set / "results.json").is_file()
    assert read_entry(str(tmp_path / "model_final.pth"), "facts") == {"class_names": ["square", "disc", "bar"]}


def test_evaluation_does_not_change_the_training(toy_set, tmp_path):
    without, _ = train(toy_set, tmp_path / "a")
    with_it, _ = train(toy_set, tmp_path / "b", opts=["DATASETS.TEST", (toy_set,), "TEST.EVAL_PERIOD", 1])
    assert without == with_it


def test_amp_without_cuda_trains_in_float32(toy_set, tmp_path):
    assert train(toy_set, tmp_path / "a", opts=["SOLVER.AMP.ENABLED", True])[0] == train(toy_set, tmp_path / "b")[0]


def test_a_truncated_frame_is_named(tmp_path):
    name = register_toy_set(tmp_path / "data", "toy_truncated", videos=1, frames=1)
    frame = tmp_path / "data" / "JPEGImages" / "video0" / "00000.jpg"
    frame.write_bytes(frame.read_bytes()[:200])
    try:
        for workers in (0, 1):
            with pytest.raises(DataError, match="video 1.*00000.jpg.*cannot be decoded"):
                train(name, tmp_path, opts=["DATALOADER.NUM_WORKERS", workers])
    finally:
        DatasetCatalog.remove(name)
        MetadataCatalog.remove(name)


def test_evaluate_needs_the_whole_model(toy_set, tmp_path):
    torch.save({"model": {"scale": torch.ones(4)}}, tmp_path / "part.pth")
    cfg = toy_cfg(toy_set, tmp_path, opts=["MODEL.WEIGHTS", str(tmp_path / "part.pth")])
    # 4 of the 3 * 2 + 2 + 4 = 12 parameters
    with pytest.raises(CheckpointError, match="filled 4 of 12 parameters"):
        VISTrainer.evaluate(cfg)
    cfg.MODEL.VIS.LOAD_MIN_MATCHED = 0.0
    load_for_inference(cfg, ToyVIS())
    trainer_cfg = toy_cfg(toy_set, tmp_path, opts=["MODEL.WEIGHTS", str(tmp_path / "part.pth")])
    with pytest.raises(CheckpointError, match="LOAD_MIN_MATCHED"):
        VISTrainer(trainer_cfg).resume_or_load(resume=False)  # half of it is needed for training
    trainer_cfg.MODEL.VIS.LOAD_MIN_MATCHED = 0.3
    VISTrainer(trainer_cfg).resume_or_load(resume=False)


def test_expected_results_are_verified(toy_set, tmp_path):
    opts = ["TEST.EXPECTED_RESULTS", [["segm", "AP", -50.0, 1.0]]]
    with pytest.raises(SystemExit):
        VISTrainer.evaluate(toy_cfg(toy_set, tmp_path, opts=opts))


def test_timed_iterator_sums_and_forgets():
    timed = TimedIterator([1, 2])
    assert list(timed) == [1, 2]
    assert timed.take_seconds() > 0 and timed.take_seconds() == 0
