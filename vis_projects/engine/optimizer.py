"""Optimizer and learning rate schedule: Detectron2's, and the ones that it keeps in its projects or leaves out."""

from collections.abc import Sequence
from typing import Any

import torch
from detectron2.config import CfgNode
from detectron2.solver import LRMultiplier, WarmupParamScheduler, build_lr_scheduler, build_optimizer
from detectron2.solver.build import get_default_optimizer_params, maybe_add_gradient_clipping
from fvcore.common.param_scheduler import PolynomialDecayParamScheduler
from torch import nn

from vis_projects.engine.errors import ConfigError

ADAPTIVE = {"ADAM": torch.optim.Adam, "ADAMW": torch.optim.AdamW}
POLY = "WarmupPolyLR"


def build_vis_optimizer(cfg: CfgNode, model: nn.Module) -> torch.optim.Optimizer:
    """Detectron2's SGD, or the Adam of SOLVER.OPTIMIZER, with the rates of SOLVER.LR_FACTORS.

    Raises:
        ConfigError: an unknown optimizer, or a prefix that no parameter has.
    """
    solver, name = cfg.SOLVER, cfg.SOLVER.OPTIMIZER.upper()
    if name != "SGD" and name not in ADAPTIVE:
        raise ConfigError(f"SOLVER.OPTIMIZER is {solver.OPTIMIZER!r}; choose from SGD, {', '.join(ADAPTIVE)}")
    if name == "SGD" and not solver.LR_FACTORS:
        return build_optimizer(cfg, model)
    groups = get_default_optimizer_params(
        model, base_lr=solver.BASE_LR, weight_decay_norm=solver.WEIGHT_DECAY_NORM,
        bias_lr_factor=solver.BIAS_LR_FACTOR, weight_decay_bias=solver.WEIGHT_DECAY_BIAS,
        lr_factor_func=_factor_of(solver.LR_FACTORS, [key for key, _ in model.named_parameters()]),
    )
    options: dict[str, Any] = {"lr": solver.BASE_LR, "weight_decay": solver.WEIGHT_DECAY}
    if name == "SGD":
        return maybe_add_gradient_clipping(cfg, torch.optim.SGD)(
            groups, momentum=solver.MOMENTUM, nesterov=solver.NESTEROV, **options)
    return maybe_add_gradient_clipping(cfg, ADAPTIVE[name])(groups, **options)


def build_vis_lr_scheduler(cfg: CfgNode, optimizer: torch.optim.Optimizer) -> Any:
    """Detectron2's schedules, and "WarmupPolyLR": BASE_LR (1 - iteration / MAX_ITER) ^ POLY_LR_POWER after warm-up."""
    solver = cfg.SOLVER
    if solver.LR_SCHEDULER_NAME != POLY:
        return build_lr_scheduler(cfg, optimizer)
    schedule = WarmupParamScheduler(
        PolynomialDecayParamScheduler(1.0, solver.POLY_LR_POWER),
        solver.WARMUP_FACTOR,
        min(solver.WARMUP_ITERS / solver.MAX_ITER, 1.0),
        solver.WARMUP_METHOD,
    )
    return LRMultiplier(optimizer, multiplier=schedule, max_iter=solver.MAX_ITER)


def _factor_of(factors: Sequence[Sequence], names: Sequence[str]) -> Any:
    """Name of a parameter -> factor of the first prefix that it has, else 1."""
    for prefix, _ in factors:
        if not any(name.startswith(prefix) for name in names):
            raise ConfigError(f"SOLVER.LR_FACTORS names {prefix!r}, which no parameter starts with; the model's start "
                              f"with {', '.join(sorted({name.split('.')[0] for name in names}))}")
    return lambda name: next((factor for prefix, factor in factors if name.startswith(prefix)), 1.0)
