"""Optimizer, its parameter groups, gradient clipping and learning rate schedule from a config."""

import copy
import itertools
import logging
from collections.abc import Callable, Iterable
from enum import Enum
from typing import Any, Optional, Union

import torch
from fvcore.common.param_scheduler import (
    CosineParamScheduler,
    MultiStepParamScheduler,
    ParamScheduler,
    StepWithFixedGammaParamScheduler,
)

from detectron2.config import CfgNode

from .lr_scheduler import LRMultiplier, LRScheduler, WarmupParamScheduler

_Gradients = Union[torch.Tensor, Iterable[torch.Tensor]]
_GradientClipper = Callable[[_Gradients], None]

_NORM_LAYERS = (
    torch.nn.modules.batchnorm._NormBase,  # every batch and instance norm, also the synchronised one
    torch.nn.GroupNorm,
    torch.nn.LayerNorm,
    torch.nn.LocalResponseNorm,
)


class GradientClipType(Enum):
    """How gradients are bounded: each number, or the norm of each parameter's gradient."""

    VALUE = "value"
    NORM = "norm"


def build_optimizer(cfg: CfgNode, model: torch.nn.Module) -> torch.optim.Optimizer:
    """Return SGD with momentum, and gradient clipping if wished, as SOLVER in the config says."""
    solver = cfg.SOLVER
    groups = get_default_optimizer_params(
        model,
        base_lr=solver.BASE_LR,
        weight_decay_norm=solver.WEIGHT_DECAY_NORM,
        bias_lr_factor=solver.BIAS_LR_FACTOR,
        weight_decay_bias=solver.WEIGHT_DECAY_BIAS,
    )
    optimizer_class = maybe_add_gradient_clipping(cfg, torch.optim.SGD)
    return optimizer_class(
        groups,
        lr=solver.BASE_LR,
        momentum=solver.MOMENTUM,
        nesterov=solver.NESTEROV,
        weight_decay=solver.WEIGHT_DECAY,
        foreach=True,
    )


def get_default_optimizer_params(
    model: torch.nn.Module, base_lr: Optional[float] = None, weight_decay: Optional[float] = None,
    weight_decay_norm: Optional[float] = None, bias_lr_factor: Optional[float] = 1.0,
    weight_decay_bias: Optional[float] = None, lr_factor_func: Optional[Callable] = None,
    overrides: Optional[dict[str, dict[str, float]]] = None,
) -> list[dict[str, Any]]:
    """Return the trainable parameters of a model in groups of equal settings.

    Args:
        model: each parameter counts once, at the first module that has it.
        base_lr: rate; None leaves it to the optimizer.
        weight_decay: None leaves it to the optimizer.
        weight_decay_norm: for the parameters of normalisation layers.
        bias_lr_factor: factor of the rate for parameters called "bias"; needs base_lr (ValueError).
        weight_decay_bias: for parameters called "bias".
        lr_factor_func: factor of the rate by the full name of the parameter; needs base_lr (AssertionError).
        overrides: settings by the last part of a parameter's name, for example {"offset": {"lr": 0.01}}.

    Returns:
        list of dicts with "params" and settings.
    """
    by_name = {} if overrides is None else dict(overrides)
    bias = {}
    if bias_lr_factor is not None and bias_lr_factor != 1.0:
        if base_lr is None:
            raise ValueError("bias_lr_factor needs base_lr")
        bias["lr"] = base_lr * bias_lr_factor
    if weight_decay_bias is not None:
        bias["weight_decay"] = weight_decay_bias
    if bias:
        if "bias" in by_name:
            raise ValueError("overrides has 'bias', which bias_lr_factor or weight_decay_bias set as well")
        by_name["bias"] = bias
    if lr_factor_func is not None and base_lr is None:
        raise ValueError("lr_factor_func needs base_lr")
    shared = {}
    if base_lr is not None:
        shared["lr"] = base_lr
    if weight_decay is not None:
        shared["weight_decay"] = weight_decay
    groups, seen = [], set()
    for module_name, module in model.named_modules():
        for name, parameter in module.named_parameters(recurse=False):
            if not parameter.requires_grad or parameter in seen:
                continue
            seen.add(parameter)
            settings = dict(shared)
            if isinstance(module, _NORM_LAYERS) and weight_decay_norm is not None:
                settings["weight_decay"] = weight_decay_norm
            if lr_factor_func is not None:
                settings["lr"] *= lr_factor_func(f"{module_name}.{name}")
            settings.update(by_name.get(name, {}))
            groups.append({"params": [parameter], **settings})
    return reduce_param_groups(groups)


def _expand_param_groups(params: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return a group for each parameter; of a parameter in several groups the later settings win, key by key."""
    merged = {}
    for group in params:
        assert "params" in group, f"a parameter group needs the key 'params', it has {sorted(group)}"
        settings = {key: value for key, value in group.items() if key != "params"}
        for parameter in group["params"]:
            merged.setdefault(parameter, {"params": [parameter]}).update(settings)
    return list(merged.values())


def reduce_param_groups(params: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Merge groups of equal settings, in order of first appearance; few groups make the optimizer faster."""
    merged = {}
    for group in _expand_param_groups(params):
        settings = {key: value for key, value in group.items() if key != "params"}
        target = merged.setdefault(tuple(settings.items()), {**settings, "params": []})
        target["params"].extend(group["params"])
    return list(merged.values())


def maybe_add_gradient_clipping(cfg: CfgNode, optimizer: type[torch.optim.Optimizer]) -> type[torch.optim.Optimizer]:
    """Return the optimizer with SOLVER.CLIP_GRADIENTS in front of each step; as it is when that is off.

    Args:
        cfg: config.
        optimizer: a class, whose subclass is returned, or an instance, which is changed.
    """
    if not cfg.SOLVER.CLIP_GRADIENTS.ENABLED:
        return optimizer
    given_class = type(optimizer) if isinstance(optimizer, torch.optim.Optimizer) else optimizer
    assert issubclass(given_class, torch.optim.Optimizer), f"{optimizer!r} is no torch optimizer"
    clipping = _generate_optimizer_class_with_gradient_clipping(
        given_class, per_param_clipper=_create_gradient_clipper(cfg.SOLVER.CLIP_GRADIENTS)
    )
    if given_class is optimizer:
        return clipping
    optimizer.__class__ = clipping
    return optimizer


def _create_gradient_clipper(cfg: CfgNode) -> _GradientClipper:
    """Return the function that bounds the gradient of one parameter (or several) as the config node says."""
    settings = copy.deepcopy(cfg)
    kind = GradientClipType(settings.CLIP_TYPE)

    def clip_by_norm(parameters):
        torch.nn.utils.clip_grad_norm_(parameters, settings.CLIP_VALUE, settings.NORM_TYPE)

    def clip_by_value(parameters):
        torch.nn.utils.clip_grad_value_(parameters, settings.CLIP_VALUE)

    return clip_by_value if kind is GradientClipType.VALUE else clip_by_norm


def _generate_optimizer_class_with_gradient_clipping(
    optimizer: type[torch.optim.Optimizer], *, per_param_clipper: Optional[_GradientClipper] = None,
    global_clipper: Optional[_GradientClipper] = None,
) -> type[torch.optim.Optimizer]:
    """Return a subclass of an optimizer that bounds gradients before each step.

    Args:
        optimizer: optimizer class.
        per_param_clipper: called with each parameter.
        global_clipper: called once with all parameters; exactly one of the two must be given (AssertionError).
    """
    assert (per_param_clipper is None) != (global_clipper is None), "give one clipper: for each parameter, or for all"

    def step(self, closure=None):
        parameters = itertools.chain.from_iterable(group["params"] for group in self.param_groups)
        if global_clipper is not None:
            global_clipper(list(parameters))
        else:
            for parameter in parameters:
                per_param_clipper(parameter)
        super(type(self), self).step(closure)

    return type(optimizer.__name__ + "WithGradientClip", (optimizer,), {"step": step})


def build_lr_scheduler(cfg: CfgNode, optimizer: torch.optim.Optimizer) -> LRScheduler:
    """Return the learning rate schedule that SOLVER in the config describes.

    Raises:
        ValueError: unknown SOLVER.LR_SCHEDULER_NAME.
    """
    solver = cfg.SOLVER
    schedule = WarmupParamScheduler(
        _schedule_after_warmup(solver),
        solver.WARMUP_FACTOR,
        min(solver.WARMUP_ITERS / solver.MAX_ITER, 1.0),
        solver.WARMUP_METHOD,
        solver.RESCALE_INTERVAL,
    )
    return LRMultiplier(optimizer, multiplier=schedule, max_iter=solver.MAX_ITER)


def _schedule_after_warmup(solver: CfgNode) -> ParamScheduler:
    name = solver.LR_SCHEDULER_NAME
    if name == "WarmupMultiStepLR":
        steps = [step for step in solver.STEPS if step <= solver.MAX_ITER]
        if len(steps) != len(solver.STEPS):
            logging.getLogger(__name__).warning(
                "SOLVER.STEPS %s beyond SOLVER.MAX_ITER = %d have no effect.", solver.STEPS, solver.MAX_ITER
            )
        return MultiStepParamScheduler(
            values=[solver.GAMMA**k for k in range(len(steps) + 1)], milestones=steps, num_updates=solver.MAX_ITER
        )
    if name == "WarmupCosineLR":
        end = solver.BASE_LR_END / solver.BASE_LR
        assert 0.0 <= end <= 1.0, f"SOLVER.BASE_LR_END {solver.BASE_LR_END} must lie in 0..BASE_LR {solver.BASE_LR}"
        return CosineParamScheduler(1, end)
    if name == "WarmupStepWithFixedGammaLR":
        return _ClampedSteps(solver.GAMMA, solver.NUM_DECAYS, solver.MAX_ITER)
    raise ValueError(
        f"SOLVER.LR_SCHEDULER_NAME is {name!r}; known are WarmupMultiStepLR, WarmupCosineLR, WarmupStepWithFixedGammaLR"
    )


class _ClampedSteps(StepWithFixedGammaParamScheduler):
    """Steps of equal length; its last value holds also at the very end, where fvcore's own has none."""

    def __init__(self, gamma: float, num_decays: int, num_updates: int):
        super().__init__(base_value=1.0, num_decays=num_decays, gamma=gamma, num_updates=num_updates)

    def __call__(self, where: float) -> float:
        # fvcore adds its epsilon once more before it looks the value up, hence twice.
        return super().__call__(min(where, 1.0 - 2 * self.WHERE_EPSILON))
