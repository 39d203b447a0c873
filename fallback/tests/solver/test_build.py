"""Parameter groups, clipping and schedules, with the numbers worked out by hand."""

import pytest
import torch
from detectron2.config import get_cfg
from detectron2.solver import LRMultiplier, WarmupParamScheduler, build_lr_scheduler, build_optimizer
from detectron2.solver.build import get_default_optimizer_params, maybe_add_gradient_clipping, reduce_param_groups
from fvcore.common.param_scheduler import MultiStepParamScheduler
from torch import nn


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(1, 2, 1)
        self.norm = nn.GroupNorm(1, 2)
        self.frozen = nn.Linear(1, 1)
        self.frozen.weight.requires_grad = False
        self.tied = self.conv


def group_names(model, groups):
    names = {parameter: name for name, parameter in model.named_parameters()}
    return [[names[parameter] for parameter in group["params"]] for group in groups]


def test_groups_hold_each_trainable_parameter_once():
    model = Net()
    groups = get_default_optimizer_params(model, base_lr=0.1, weight_decay=0.01, weight_decay_norm=0.0)
    assert group_names(model, groups) == [["conv.weight", "conv.bias", "frozen.bias"], ["norm.weight", "norm.bias"]]
    assert [(g["lr"], g["weight_decay"]) for g in groups] == [(0.1, 0.01), (0.1, 0.0)]


def test_bias_settings_and_overrides():
    model = Net()
    groups = get_default_optimizer_params(model, base_lr=0.1, bias_lr_factor=2.0)
    assert group_names(model, groups) == [["conv.weight", "norm.weight"], ["conv.bias", "norm.bias", "frozen.bias"]]
    assert [g["lr"] for g in groups] == [0.1, 0.2]
    groups = get_default_optimizer_params(model, base_lr=0.1, overrides={"weight": {"lr": 5.0}})
    assert {g["lr"] for g in groups} == {0.1, 5.0}
    groups = get_default_optimizer_params(
        model, base_lr=0.1, lr_factor_func=lambda name: 3.0 if "norm" in name else 1.0
    )
    assert [g["lr"] for g in groups] == [0.1, pytest.approx(0.3)]


@pytest.mark.parametrize(
    "settings",
    [
        {"bias_lr_factor": 2.0},
        {"lr_factor_func": lambda name: 1.0},
        {"base_lr": 0.1, "bias_lr_factor": 2.0, "overrides": {"bias": {"lr": 1.0}}},
    ],
)
def test_contradictory_settings_are_refused(settings):
    with pytest.raises(ValueError):
        get_default_optimizer_params(Net(), **settings)


def test_groups_of_equal_settings_are_merged_in_order():
    a, b, c = (nn.Parameter(torch.zeros(1)) for _ in range(3))
    groups = reduce_param_groups([{"params": [a], "lr": 1}, {"params": [b], "lr": 2}, {"params": [c], "lr": 1}])
    assert [g["params"] for g in groups] == [[a, c], [b]]


@pytest.mark.parametrize("kind, expected", [("value", 0.1), ("norm", 0.1 / 2**0.5)])
def test_clipping_is_per_parameter(kind, expected):
    # gradient (3, 3): by value each entry becomes 0.1; by norm the vector does, so each entry is 0.1 / sqrt(2)
    cfg = get_cfg()
    cfg.SOLVER.CLIP_GRADIENTS.ENABLED = True
    cfg.SOLVER.CLIP_GRADIENTS.CLIP_TYPE = kind
    cfg.SOLVER.CLIP_GRADIENTS.CLIP_VALUE = 0.1
    parameter = nn.Parameter(torch.zeros(2))
    parameter.grad = torch.full((2,), 3.0)
    optimizer = maybe_add_gradient_clipping(cfg, torch.optim.SGD)([parameter], lr=1.0)
    assert type(optimizer).__name__ == "SGDWithGradientClip" and isinstance(optimizer, torch.optim.SGD)
    optimizer.step()
    assert parameter.tolist() == pytest.approx([-expected, -expected], rel=1e-5)


def test_clipping_can_be_added_to_an_instance():
    cfg = get_cfg()
    optimizer = torch.optim.SGD([nn.Parameter(torch.zeros(1))], lr=0.1)
    assert maybe_add_gradient_clipping(cfg, optimizer) is optimizer
    cfg.SOLVER.CLIP_GRADIENTS.ENABLED = True
    assert type(maybe_add_gradient_clipping(cfg, optimizer)).__name__ == "SGDWithGradientClip"
    cfg.SOLVER.CLIP_GRADIENTS.CLIP_TYPE = "other"
    with pytest.raises(ValueError):
        maybe_add_gradient_clipping(cfg, torch.optim.SGD)


def rates(**solver):
    cfg = get_cfg()
    settings = {"MAX_ITER": 10, "STEPS": (6, 8), "WARMUP_ITERS": 2, "BASE_LR": 0.1, "WARMUP_FACTOR": 0.5, **solver}
    for key, value in settings.items():
        setattr(cfg.SOLVER, key, value)
    optimizer = build_optimizer(cfg, nn.Linear(1, 1))
    scheduler = build_lr_scheduler(cfg, optimizer)
    seen = []
    for _ in range(cfg.SOLVER.MAX_ITER):
        seen.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        scheduler.step()
    return seen


def test_multi_step_rates():
    # warm-up from 0.5 x 0.1 linearly to 0.1 over 2 steps, then x 0.1 at 6 and 8
    assert rates() == pytest.approx([0.05, 0.075, 0.1, 0.1, 0.1, 0.1, 0.01, 0.01, 0.001, 0.001])
    assert rates(WARMUP_METHOD="constant")[:3] == pytest.approx([0.05, 0.05, 0.1])
    assert rates(STEPS=(), WARMUP_ITERS=0) == pytest.approx([0.1] * 10)


def test_cosine_rates_end_near_zero():
    # after warm-up the factor at step t is (1 + cos(pi t / 10)) / 2; at t = 5 that is 1/2
    seen = rates(LR_SCHEDULER_NAME="WarmupCosineLR")
    assert seen[5] == pytest.approx(0.05) and seen[9] < 0.003


def test_unknown_names_are_refused():
    with pytest.raises(ValueError):
        rates(LR_SCHEDULER_NAME="other")
    with pytest.raises(ValueError):
        rates(WARMUP_METHOD="other")


def test_multiplier_keeps_its_place_in_a_state_dict():
    def make():
        optimizer = torch.optim.SGD([nn.Parameter(torch.zeros(1))], lr=0.5)
        schedule = MultiStepParamScheduler([1, 0.1], milestones=[2], num_updates=4)
        return optimizer, LRMultiplier(optimizer, schedule, max_iter=4)

    optimizer, scheduler = make()
    for _ in range(2):
        optimizer.step()
        scheduler.step()
    assert scheduler.state_dict() == {"base_lrs": [0.5], "last_epoch": 2}
    assert scheduler.get_last_lr() == [pytest.approx(0.05)]
    _, other = make()
    other.load_state_dict(scheduler.state_dict())
    assert other.last_epoch == 2
    with pytest.raises(ValueError):
        LRMultiplier(optimizer, lambda where: where, 4)


def test_warmup_meets_the_schedule_or_rescales_it():
    halving = MultiStepParamScheduler([1, 0.5], milestones=[5], num_updates=10)
    fixed = WarmupParamScheduler(halving, 0.1, 0.2, "linear", False)
    assert [fixed(x / 10) for x in (0, 1, 2, 5)] == pytest.approx([0.1, 0.55, 1.0, 0.5])
    # rescaled: the schedule's middle lies at 0.2 + 0.8 / 2 = 0.6
    rescaled = WarmupParamScheduler(halving, 0.1, 0.2, "linear", True)
    assert [rescaled(x / 10) for x in (5, 6)] == pytest.approx([1.0, 0.5])
