"""Caffe2 blob names of the first Detectron -> parameter names of this one."""

import re

import torch

# pattern -> replacement on names whose "_" have become ".", in order
_SUFFIXES = (
    (r"\.b$", ".bias"),
    (r"\.w$", ".weight"),
    (r"(?:bn|gn)\.s$", "norm.weight"),
    (r"(?:bn|gn)\.bias$", "norm.bias"),
    (r"bn\.rm$", "norm.running_mean"),
    (r"bn\.running\.mean$", "norm.running_mean"),
    (r"bn\.riv$", "norm.running_var"),
    (r"bn\.running\.var$", "norm.running_var"),
    (r"bn\.gamma$", "norm.weight"),
    (r"bn\.beta$", "norm.bias"),
)
_TRUNK = (
    (r"^(?:res\.)?conv1\.", "stem.conv1."),
    (r"\.branch1\.", ".shortcut."),
    (r"\.branch2a\.", ".conv1."),
    (r"\.branch2b\.", ".conv2."),
    (r"\.branch2c\.", ".conv3."),
)
_RPN = (
    (r"^conv\.rpn\.(?:fpn\d+\.)?", "proposal_generator.rpn_head.conv."),
    (r"^rpn\.cls\.logits\.(?:fpn\d+\.)?", "proposal_generator.rpn_head.objectness_logits."),
    (r"^rpn\.bbox\.pred\.(?:fpn\d+\.)?", "proposal_generator.rpn_head.anchor_deltas."),
)
_HEADS = (
    (r"^bbox\.pred", "bbox_pred"),
    (r"^cls\.score", "cls_score"),
    (r"^fc6\.", "box_head.fc1."),
    (r"^fc7\.", "box_head.fc2."),
    (r"^head\.conv", "box_head.conv"),
    (r"^\.(?:\[mask\]|mask)\.fcn(\d+)", r"mask_head.mask_fcn\1"),
    (r"^mask\.fcn\.logits", "mask_head.predictor"),
    (r"^conv5\.mask", "mask_head.deconv"),
    (r"^kps\.score\.lowres", "roi_heads.keypoint_head.score_lowres"),
    (r"^kps\.score\.", "roi_heads.keypoint_head.score."),
    (r"^conv\.fcn(\d+)", r"roi_heads.keypoint_head.conv_fcn\1"),
    (r"^pred\.", "linear."),
)
_FPN = (
    (r"^fpn\.inner\.res(\d)\.\d+\.sum\.(?:lateral\.)?", r"fpn_lateral\1."),
    (r"^fpn\.res(\d)\.\d+\.sum\.", r"fpn_output\1."),
)


def convert_basic_c2_names(names):
    """Names of the trunk: punctuation, weight, bias, norm, stem, branches."""
    return [_rewrite(name.replace("_", "."), _SUFFIXES + _TRUNK) for name in names]


def convert_c2_detectron_names(weights):
    """Rename all weights of a Caffe2 model and put the background class where this version has it.

    Args:
        weights: blob name -> tensor.

    Returns:
        (new name -> tensor, new name -> blob name). The background class leaves bbox_pred (its first four rows) and
        mask predictor (its first row), and moves from first to last in cls_score.
    """
    renamed, origins = {}, {}
    basic = convert_basic_c2_names(list(weights))
    for blob, name in sorted(zip(weights, basic)):
        name = _rewrite(name, _RPN + _HEADS + _FPN)
        assert name not in renamed, f"both {origins.get(name)} and {blob} become {name}"
        renamed[name] = _without_background(name, weights[blob])
        origins[name] = blob
    return renamed, origins


def _rewrite(name: str, rules) -> str:
    for pattern, replacement in rules:
        name = re.sub(pattern, replacement, name)
    return name


def _without_background(name: str, value):
    if name.startswith("bbox_pred."):
        return value[4:]
    if name.startswith("cls_score."):
        return torch.cat([value[1:], value[:1]])
    if name.startswith("mask_head.predictor."):
        return value[1:]
    return value
