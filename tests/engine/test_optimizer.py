"""Adam, rates by prefix and the poly schedule."""

import pytest
import torch
from torch import nn

from vis_projects.config import get_vis_cfg
from vis_projects.engine.errors import ConfigError
from vis_projects.engine.optimizer import build_vis_lr_scheduler, build_vis_optimizer


def model():
    return nn.ModuleDict({"backbone": nn.ModuleDict({"trunk": nn.Conv2d(1, 2, 1), "intra": nn.Linear(2, 2)}),
                          "head": nn.BatchNorm2d(2)})


def config(**solver):
    cfg = get_vis_cfg()
    cfg.SOLVER.BASE_LR, cfg.SOLVER.MAX_ITER, cfg.SOLVER.STEPS, cfg.SOLVER.WARMUP_ITERS = 0.001, 100, (), 0
    for key, value in solver.items():
        setattr(cfg.SOLVER, key, value)
    return cfg


@pytest.mark.parametrize("name, kind", [
    ("SGD", torch.optim.SGD), ("ADAM", torch.optim.Adam), ("AdamW", torch.optim.AdamW)
])
@pytest.mark.parametrize("factors", [(), (("backbone.trunk.", 0.1), ("backbone.", 0.5))])
def test_optimizer_and_rates(name, kind, factors):
    module = model()
    optimizer = build_vis_optimizer(config(OPTIMIZER=name, LR_FACTORS=factors), module)
    assert isinstance(optimizer, kind)
    rates = {id(p): group["lr"] for group in optimizer.param_groups for p in group["params"]}
    expected = [0.0001, 0.0005, 0.001] if factors else [0.001] * 3
    parts = (module["backbone"]["trunk"], module["backbone"]["intra"], module["head"])
    found = [{rates[id(p)] for p in part.parameters()} for part in parts]
    assert [len(of_part) for of_part in found] == [1, 1, 1]
    assert [of_part.pop() for of_part in found] == pytest.approx(expected)
    assert len(rates) == 6


def test_adam_has_the_papers_betas_and_no_decay_of_norms():
    optimizer = build_vis_optimizer(config(OPTIMIZER="ADAM", WEIGHT_DECAY=0.1, WEIGHT_DECAY_NORM=0.0), model())
    assert {group["betas"] for group in optimizer.param_groups} == {(0.9, 0.999)}
    assert {group["weight_decay"] for group in optimizer.param_groups} == {0.1, 0.0}


def test_poly_by_hand():
    cfg = config(OPTIMIZER="ADAM", LR_SCHEDULER_NAME="WarmupPolyLR", WARMUP_ITERS=10, WARMUP_FACTOR=0.01)
    optimizer = build_vis_optimizer(cfg, model())
    scheduler = build_vis_lr_scheduler(cfg, optimizer)
    rates = []
    for _ in range(101):
        rates.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        scheduler.step()
    # warm-up from a hundredth; in the middle 0.001 (1/2)^0.9; nothing at the end
    assert rates[0] == pytest.approx(0.00001) and rates[10] == pytest.approx(0.001 * 0.9**0.9)
    assert rates[50] == pytest.approx(0.001 * 0.5**0.9) and rates[100] == pytest.approx(0.0, abs=1e-9)
    assert all(a > b for a, b in zip(rates[10:], rates[11:]))


def test_other_schedules_are_detectron2s():
    cfg = config(LR_SCHEDULER_NAME="WarmupMultiStepLR", STEPS=(2,), GAMMA=0.1)
    optimizer = build_vis_optimizer(cfg, model())
    scheduler = build_vis_lr_scheduler(cfg, optimizer)
    for _ in range(2):
        optimizer.step()
        scheduler.step()
    assert optimizer.param_groups[0]["lr"] == pytest.approx(0.0001)


def test_what_is_wrong_is_named():
    with pytest.raises(ConfigError, match="OPTIMIZER is 'LAMB'"):
        build_vis_optimizer(config(OPTIMIZER="LAMB"), model())
    with pytest.raises(ConfigError, match="'trunk.'.*backbone, head"):
        build_vis_optimizer(config(LR_FACTORS=(("trunk.", 0.1),)), model())
