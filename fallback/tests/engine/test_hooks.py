"""Each hook on a trainer of a few steps."""

import pytest
import torch
from detectron2.checkpoint import DetectionCheckpointer
from detectron2.engine import SimpleTrainer, TrainerBase, hooks
from detectron2.solver import LRMultiplier
from detectron2.utils.events import EventWriter
from fvcore.common.param_scheduler import MultiStepParamScheduler
from torch import nn


class Idle(TrainerBase):
    def run_step(self):
        self.storage.put_scalar("step", float(self.iter))


class Loss(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc = nn.Linear(1, 1)

    def forward(self, inputs):
        return {"loss": self.fc(inputs).sum() ** 2}


def simple():
    model = Loss()
    return SimpleTrainer(model, [torch.ones(1, 1)] * 20, torch.optim.SGD(model.parameters(), 0.1))


def run(hook_list, steps, trainer=None):
    trainer = trainer or Idle()
    trainer.register_hooks(hook_list)
    trainer.train(0, steps)
    return trainer


def history(trainer, name):
    return trainer.storage.history(name).values()


def test_callbacks():
    seen = []
    run([hooks.CallbackHook(before_train=lambda t: seen.append("begin"), after_step=lambda t: seen.append(t.iter))], 2)
    assert seen == ["begin", 0, 1]


def test_iteration_time_is_stored_after_the_warm_up():
    assert len(history(run([hooks.IterationTimer()], 6), "time")) == 4  # done = 3, 4, 5, 6
    assert len(history(run([hooks.IterationTimer(0)], 6), "time")) == 6


@pytest.mark.parametrize("period, steps, written", [(2, 5, [1, 3, 4, 5]), (20, 3, [2, 3]), (5, 5, [4, 5])])
def test_writers_run_periodically_and_at_the_end(period, steps, written):
    class Writer(EventWriter):
        log = []

        def write(self):
            self.log.append(trainer.iter)

        def close(self):
            self.log.append("closed")

    trainer = Idle()
    Writer.log = []
    run([hooks.PeriodicWriter([Writer()], period)], steps, trainer)
    assert Writer.log == [*written, "closed"]
    with pytest.raises(AssertionError):
        hooks.PeriodicWriter([object()])


def test_checkpoints_carry_trainer_and_iteration(tmp_path):
    trainer = simple()
    checkpointer = DetectionCheckpointer(trainer.model, str(tmp_path), trainer=trainer)
    run([hooks.PeriodicCheckpointer(checkpointer, 2)], 5, trainer)
    assert {p.name for p in tmp_path.iterdir()} == {"last_checkpoint", "model_0000001.pth", "model_0000003.pth",
                                                    "model_final.pth"}
    saved = torch.load(tmp_path / "model_0000003.pth", weights_only=True)
    assert saved["iteration"] == saved["trainer"]["iteration"] == 3


@pytest.mark.parametrize(
    "values, mode, best",
    [
        ([1.0, 3.0, 2.0], "max", (3.0, 3)),
        ([1.0, 3.0, 2.0], "min", (1.0, 1)),
        ([float("nan"), 1.0, 0.5], "max", (1.0, 3)),
        ([1.0, float("nan"), 2.0], "max", (2.0, 6)),
        ([None, 1.0, 2.0], "min", (1.0, 3)),
    ],
)
def test_best_checkpoint(tmp_path, values, mode, best):
    trainer, left = simple(), list(values)

    def evaluate():
        value = left.pop(0)
        return {} if value is None else {"segm": {"AP": value}}

    hook = hooks.BestCheckpointer(2, DetectionCheckpointer(trainer.model, str(tmp_path)), "segm/AP", mode)
    run([hooks.EvalHook(2, evaluate), hook], 6, trainer)  # evaluates after steps 1, 3 and after training
    assert (hook.best_metric, hook.best_iter) == best
    assert (tmp_path / "model_best.pth").is_file()


def test_best_checkpoint_knows_two_modes():
    with pytest.raises(AssertionError):
        hooks.BestCheckpointer(2, DetectionCheckpointer(Loss()), "x", "other")


@pytest.mark.parametrize("period, steps, calls", [(2, 5, [1, 3, 5]), (2, 6, [1, 3, 6]), (0, 4, [4])])
def test_evaluation_runs_periodically_and_at_the_end(period, steps, calls):
    seen, trainer = [], Idle()
    run([hooks.EvalHook(period, lambda: seen.append(trainer.iter))], steps, trainer)
    assert seen == calls


def test_evaluation_after_training_can_be_left_out_and_needs_a_whole_training():
    seen, trainer = [], Idle()
    run([hooks.EvalHook(2, lambda: seen.append(trainer.iter), eval_after_train=False)], 5, trainer)
    assert seen == [1, 3]

    class Broken(Idle):
        def run_step(self):
            raise RuntimeError

    trainer, seen = Broken(), []
    with pytest.raises(RuntimeError):
        run([hooks.EvalHook(0, lambda: seen.append(1))], 3, trainer)
    assert seen == []


def test_evaluation_results_are_stored_flat():
    trainer = run([hooks.EvalHook(0, lambda: {"a": {"b": 1}, "c": torch.tensor(2)})], 1)
    assert history(trainer, "a/b") == [(1.0, 1)] and history(trainer, "c") == [(2.0, 1)]
    with pytest.raises(ValueError):
        run([hooks.EvalHook(0, lambda: {"a": "text"})], 1)
    with pytest.raises(AssertionError):
        run([hooks.EvalHook(0, lambda: [1])], 1)


def test_rate_is_stored_before_the_scheduler_steps():
    trainer = simple()
    schedule = MultiStepParamScheduler([1, 0.1], milestones=[2], num_updates=4)
    run([hooks.LRScheduler(scheduler=schedule)], 4, trainer)
    assert [rate for rate, _ in history(trainer, "lr")] == pytest.approx([0.1, 0.1, 0.01, 0.01])
    assert trainer.state_dict()["hooks"] == {"LRScheduler": {"base_lrs": [0.1], "last_epoch": 4}}


def test_scheduler_state_is_restored():
    trainer = simple()
    scheduler = LRMultiplier(trainer.optimizer, MultiStepParamScheduler([1, 0.1], milestones=[2], num_updates=4), 4)
    hook = hooks.LRScheduler(trainer.optimizer, scheduler)
    trainer.register_hooks([hook])
    trainer.load_state_dict({**trainer.state_dict(), "hooks": {"LRScheduler": {"base_lrs": [0.1], "last_epoch": 3}}})
    assert scheduler.last_epoch == 3


@pytest.mark.parametrize("sizes, group", [([1], 0), ([2, 1], 0), ([1, 1, 3], 2), ([2, 2, 1], 0)])
def test_shown_rate_is_that_of_the_largest_group(sizes, group):
    groups = [{"params": [nn.Parameter(torch.zeros(1)) for _ in range(n)], "lr": i + 1.0} for i, n in enumerate(sizes)]
    assert hooks.LRScheduler.get_best_param_group_id(torch.optim.SGD(groups, lr=1.0)) == group


def test_precise_statistics_are_true_means():
    model = nn.Sequential(nn.BatchNorm1d(1))
    batches = [torch.tensor([[0.0], [2.0]]), torch.tensor([[2.0], [6.0]])] * 4
    run([hooks.PreciseBN(2, model, batches, 2)], 4)
    # means 1 and 4 of two batches: (1 + 4) / 2
    assert model[0].running_mean.tolist() == pytest.approx([5 / 2])
