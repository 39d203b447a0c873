"""What the subset does where Detectron2 fails or changes its arguments."""

import pytest
import torch
from detectron2.config import get_cfg
from detectron2.solver import build_lr_scheduler, get_default_optimizer_params
from torch import nn


def test_steps_of_equal_length_have_a_last_value():
    cfg = get_cfg()
    cfg.SOLVER.LR_SCHEDULER_NAME = "WarmupStepWithFixedGammaLR"
    cfg.SOLVER.MAX_ITER, cfg.SOLVER.WARMUP_ITERS, cfg.SOLVER.NUM_DECAYS = 8, 0, 3
    optimizer = torch.optim.SGD([nn.Parameter(torch.zeros(1))], lr=1.0)
    scheduler = build_lr_scheduler(cfg, optimizer)
    seen = []
    for _ in range(9):  # one more than there are iterations: the hook steps after the last too
        seen.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        scheduler.step()
    # four parts of two iterations
    assert seen == pytest.approx([1, 1, 0.1, 0.1, 0.01, 0.01, 0.001, 0.001, 0.001])


def test_overrides_are_not_changed():
    overrides = {"weight": {"lr": 1.0}}
    get_default_optimizer_params(nn.Linear(1, 1), base_lr=0.1, bias_lr_factor=2.0, overrides=overrides)
    assert overrides == {"weight": {"lr": 1.0}}
