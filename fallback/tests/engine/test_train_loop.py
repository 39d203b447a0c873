"""The loop, its hooks' order, the plain step and its metrics."""

import weakref

import pytest
import torch
from detectron2.engine import HookBase, SimpleTrainer, TrainerBase
from detectron2.utils.events import EventStorage
from torch import nn


class Recorder(HookBase):
    def __init__(self, log):
        self.log = log

    def before_train(self):
        self.log.append(("before_train", self.trainer.iter))

    def after_train(self):
        self.log.append(("after_train", self.trainer.iter, self.trainer.storage.iter))

    def before_step(self):
        self.log.append(("before_step", self.trainer.iter))

    def after_step(self):
        self.log.append(("after_step", self.trainer.iter))


class Counting(TrainerBase):
    fail_at = None

    def run_step(self):
        if self.iter == self.fail_at:
            raise ValueError("stop here")


class Squares(nn.Module):
    """Loss w^2 on a weight that starts at 1: with rate 0.1 the weight becomes 0.8 w per step."""

    def __init__(self, output=dict):
        super().__init__()
        self.w = nn.Parameter(torch.ones(()))
        self.output = output

    def forward(self, scale):
        loss = scale * self.w**2
        return {"loss_a": loss, "loss_b": loss} if self.output is dict else loss


def make(output=dict, batches=None, **options):
    model = Squares(output)
    loader = batches if batches is not None else [torch.tensor(0.5 if output is dict else 1.0)] * 10
    return SimpleTrainer(model, loader, torch.optim.SGD(model.parameters(), 0.1), **options)


def scalars(trainer, name):
    return [value for value, _ in trainer.storage.history(name).values()]


def test_hooks_are_called_in_order():
    log, trainer = [], Counting()
    trainer.register_hooks([Recorder(log), None])
    trainer.train(3, 5)
    assert log == [("before_train", 3), ("before_step", 3), ("after_step", 3), ("before_step", 4), ("after_step", 4),
                   ("after_train", 5, 5)]
    assert (trainer.iter, trainer.start_iter, trainer.max_iter) == (5, 3, 5)


def test_after_train_runs_when_a_step_fails():
    log, trainer = [], Counting()
    trainer.fail_at = 1
    trainer.register_hooks([Recorder(log)])
    with pytest.raises(ValueError, match="stop here"):
        trainer.train(0, 3)
    assert log[-1] == ("after_train", 1, 1)


def test_only_hooks_can_be_registered_and_see_a_weak_trainer():
    trainer, hook = TrainerBase(), HookBase()
    with pytest.raises(AssertionError):
        trainer.register_hooks([object()])
    trainer.register_hooks([hook])
    assert type(hook.trainer) is weakref.ProxyType
    with pytest.raises(NotImplementedError):
        trainer.run_step()


def test_hook_states_are_saved_by_class_name():
    class Stateful(HookBase):
        loaded = None

        def state_dict(self):
            return {"a": 1}

        def load_state_dict(self, state):
            self.loaded = state

    hook, trainer = Stateful(), Counting()
    trainer.register_hooks([hook, HookBase()])
    trainer.train(0, 2)
    state = trainer.state_dict()
    assert state["iteration"] == 2 and list(state["hooks"].values()) == [{"a": 1}]
    trainer.load_state_dict(state)
    assert hook.loaded == {"a": 1}
    trainer.load_state_dict({"iteration": 7, "hooks": {"Unknown": {}}})
    assert trainer.iter == 7
    with pytest.raises(KeyError):
        trainer.load_state_dict({})


def test_step_descends_on_the_sum_of_losses():
    trainer = make()
    trainer.train(0, 3)
    # total = 2 x 0.5 w^2 = w^2: w = 1, 4/5, 16/25
    assert scalars(trainer, "total_loss") == pytest.approx([1, 16 / 25, 256 / 625])
    assert scalars(trainer, "loss_a") == pytest.approx([1 / 2, 8 / 25, 128 / 625])
    assert len(scalars(trainer, "data_time")) == len(scalars(trainer, "rank_data_time")) == 3
    assert trainer.model.w.item() == pytest.approx(64 / 125)


def test_one_tensor_is_the_total_alone():
    trainer = make(torch.Tensor)
    trainer.train(0, 2)
    assert scalars(trainer, "total_loss") == pytest.approx([1, 16 / 25])
    assert "loss_a" not in trainer.storage.histories()


@pytest.mark.parametrize("options", [{"zero_grad_before_forward": True}, {"async_write_metrics": True}])
def test_options_do_not_change_the_numbers(options):
    trainer = make(**options)
    trainer.train(0, 3)
    assert trainer.model.w.item() == pytest.approx(64 / 125)
    assert scalars(trainer, "total_loss") == pytest.approx([1, 16 / 25, 256 / 625])


def test_metrics_are_gathered_every_few_iterations():
    trainer = make(gather_metric_period=2)
    trainer.train(0, 4)
    assert [step for _, step in trainer.storage.history("total_loss").values()] == [1, 3]


def test_not_finite_loss_stops_training():
    trainer = make(batches=[torch.tensor(float("nan"))])
    with pytest.raises(FloatingPointError, match="iteration=0"):
        trainer.train(0, 1)


def test_model_must_stay_in_training_mode():
    trainer = make()
    trainer.model.eval()
    with pytest.raises(AssertionError):
        trainer.train(0, 1)


def test_loader_is_asked_once_and_can_be_replaced():
    class Loader:
        asked = 0

        def __iter__(self):
            self.asked += 1
            return iter([torch.tensor(0.5)] * 2)

    loader = Loader()
    trainer = make(batches=loader)
    assert loader.asked == 0
    trainer.train(0, 2)
    assert loader.asked == 1
    trainer.reset_data_loader(lambda: [torch.tensor(0.5)] * 2)
    trainer.train(2, 4)
    assert trainer.model.w.item() == pytest.approx((4 / 5) ** 4)


def test_state_holds_the_optimizer():
    trainer = make()
    assert sorted(trainer.state_dict()) == ["iteration", "optimizer"]
    trainer.load_state_dict(trainer.state_dict())
    assert trainer.iter == 0


def test_metric_names_carry_the_prefix_on_the_total_only():
    with EventStorage(5) as storage:
        SimpleTrainer.write_metrics({"a": torch.tensor(1.0), "b": torch.tensor(2.0)}, 0.1, 5, "x_")
        latest = {name: value for name, (value, _) in storage.latest().items()}
    assert latest == {"rank_data_time": 0.1, "data_time": 0.1, "x_total_loss": 3.0, "a": 1.0, "b": 2.0}
