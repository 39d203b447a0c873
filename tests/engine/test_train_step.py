"""One optimizer step, against plain gradient descent by hand."""

import pytest
import torch
from torch import nn

from vis_projects.engine.schedule import BatchPlan
from vis_projects.engine.train_step import TrainStep


class Linear(nn.Module):
    """loss = mean over items of w * x; its gradient is the mean of x."""

    def __init__(self, noisy: bool = False):
        super().__init__()
        self.w = nn.Parameter(torch.tensor([1.0, 1.0]))
        self.noisy = noisy

    def forward(self, items):
        x = torch.stack([item["x"] for item in items]).mean(0)
        return {"loss_x": (self.w * x).sum() + (torch.rand(2) * self.w).sum() * self.noisy}


def items(*values):
    return [{"x": torch.tensor([float(value), 0.0])} for value in values]


def make(plan: BatchPlan, model: nn.Module | None = None, **kwargs):
    model = model or Linear()
    return model, TrainStep(model, torch.optim.SGD(model.parameters(), lr=0.5), plan, **kwargs)


def test_gradients_of_the_parts_are_averaged():
    model, step = make(BatchPlan(4, 2))
    metrics = step(0, iter([items(1, 3), items(5, 7)]))
    # mean x = 4: w = 1 - 0.5 * 4; losses of the parts at w = 1 are 2 and 6
    assert model.w.tolist() == [-1.0, 1.0]
    assert metrics == {"loss_x": 4.0, "total_loss": 4.0}


def test_accumulation_equals_the_whole_batch():
    whole, step = make(BatchPlan(4, 1))
    step(0, iter([items(1, 3, 5, 7)]))
    cut, step = make(BatchPlan(4, 4))
    step(0, iter([items(1), items(3), items(5), items(7)]))
    assert whole.w.tolist() == cut.w.tolist()


def test_gradient_of_the_whole_model_is_clipped():
    model = Linear()
    extra = nn.Parameter(torch.tensor(0.0))
    model.register_parameter("extra", extra)
    step = TrainStep(model, torch.optim.SGD(model.parameters(), lr=1.0), BatchPlan(1), clip_total_norm=1.0)

    def after_backward():
        extra.grad = torch.tensor(4.0)

    metrics = step(0, iter([items(3)]), after_backward=after_backward)
    # gradient (3, 0, 4) has norm 5 and is cut to (3/5, 0, 4/5); torch divides by norm + 1e-6
    assert metrics["grad_norm"] == pytest.approx(5.0)
    assert model.w.tolist() == pytest.approx([1 - 3 / 5, 1.0], abs=1e-6)
    assert extra.item() == pytest.approx(-4 / 5, abs=1e-6)


def test_a_short_gradient_is_left_alone():
    model, step = make(BatchPlan(1), clip_total_norm=10.0)
    step(0, iter([items(2)]))
    assert model.w.tolist() == [0.0, 1.0]


def test_random_draws_depend_on_seed_iteration_and_part_only():
    def loss(iteration, seed=1, rank=0, plan=BatchPlan(2, 1, 2)):
        torch.rand(3)  # whatever was drawn before
        return make(plan, Linear(noisy=True), seed=seed, rank=rank)[1](iteration, iter([items(0)] * 2))["total_loss"]

    assert loss(5) == loss(5)
    assert len({loss(5), loss(6), loss(5, seed=2), loss(5, rank=1)}) == 4
    # two processes with one part each, or one with two
    both = (loss(5) + loss(5, rank=1)) / 2
    assert loss(5, plan=BatchPlan(2, 2, 1)) == pytest.approx(both, abs=1e-7)


def test_a_nan_stops_before_the_update():
    model, step = make(BatchPlan(1))
    with pytest.raises(FloatingPointError, match="iteration 12.*loss_x.*BASE_LR"):
        step(12, iter([items(float("nan"))]))
    assert model.w.tolist() == [1.0, 1.0]
