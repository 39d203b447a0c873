"""Names and shapes of the weights in the published MaskTrack R-CNN checkpoint, and a file like it."""

import math
from collections import OrderedDict

import torch

NORM = ("weight", "bias", "running_mean", "running_var")
BLOCKS = (3, 4, 6, 3)
NARROW = {"inner": 8, "width": 16, "fc": 32}
# what makes our config as narrow
NARROW_OPTS = [
    "MODEL.RESNETS.WIDTH_PER_GROUP", 8, "MODEL.FPN.OUT_CHANNELS", 16, "MODEL.RPN.CONV_DIMS", "(16,)",
    "MODEL.ROI_BOX_HEAD.FC_DIM", 32, "MODEL.ROI_MASK_HEAD.CONV_DIM", 16, "MODEL.MASKTRACK.FC_DIM", 32,
]  # fmt: skip


def with_bias(name, *shape):
    return {f"{name}.weight": shape, f"{name}.bias": shape[:1]}


def batch_norm(name, channels):
    return {f"{name}.{part}": (channels,) for part in NORM} | {f"{name}.num_batches_tracked": ()}


def resnet50(inner=64):
    """Backbone; `inner` channels inside the first stage's blocks."""
    shapes = {"backbone.conv1.weight": (64, 3, 7, 7)} | batch_norm("backbone.bn1", 64)
    into = 64
    for stage, blocks in enumerate(BLOCKS):
        out, middle = 256 * 2**stage, inner * 2**stage
        for block in range(blocks):
            at = f"backbone.layer{stage + 1}.{block}"
            convs = ((middle, into, 1), (middle, middle, 3), (out, middle, 1))
            for number, (after, before, size) in enumerate(convs, 1):
                shapes[f"{at}.conv{number}.weight"] = (after, before, size, size)
                shapes |= batch_norm(f"{at}.bn{number}", after)
            if block == 0:
                shapes[f"{at}.downsample.0.weight"] = (out, into, 1, 1)
                shapes |= batch_norm(f"{at}.downsample.1", out)
            into = out
    return shapes


def mask_rcnn(classes=41, inner=64, width=256, fc=1024):
    """Mask R-CNN; `classes` counts the background."""
    shapes = resnet50(inner)
    for index in range(4):
        shapes |= with_bias(f"neck.lateral_convs.{index}.conv", width, 256 * 2**index, 1, 1)
        shapes |= with_bias(f"neck.fpn_convs.{index}.conv", width, width, 3, 3)
        shapes |= with_bias(f"mask_head.convs.{index}.conv", width, width, 3, 3)
    shapes |= with_bias("rpn_head.rpn_conv", width, width, 3, 3)
    shapes |= with_bias("rpn_head.rpn_cls", 3, width, 1, 1) | with_bias("rpn_head.rpn_reg", 12, width, 1, 1)
    shapes |= with_bias("bbox_head.shared_fcs.0", fc, 49 * width) | with_bias("bbox_head.shared_fcs.1", fc, fc)
    shapes |= with_bias("bbox_head.fc_cls", classes, fc) | with_bias("bbox_head.fc_reg", 4 * classes, fc)
    # a transposed convolution has its inputs first
    shapes |= with_bias("mask_head.upsample", width, width, 2, 2)
    return shapes | with_bias("mask_head.conv_logits", classes, width, 1, 1)


def masktrack_rcnn(classes=41, inner=64, width=256, fc=1024):
    """The whole model."""
    shapes = mask_rcnn(classes, inner, width, fc)
    return shapes | with_bias("track_head.fcs.0", fc, 49 * width) | with_bias("track_head.fcs.1", fc, fc)


def parameters(shapes):
    """Scalars that were trained there, that is without running statistics."""
    statistics = ("running_mean", "running_var", "num_batches_tracked")
    return sum(math.prod(shape) for name, shape in shapes.items() if not name.endswith(statistics))


def zeros(shapes):
    return {name: torch.zeros(shape) for name, shape in shapes.items()}


def random(shapes, seed=0):
    """Random weights whose activations neither vanish nor explode."""
    rng = torch.Generator().manual_seed(seed)
    weights = {}
    for name, shape in shapes.items():
        value = torch.randn(shape, generator=rng)
        if name.endswith("running_var"):
            value = 1 + value.abs()
        elif name.endswith(".weight") and len(shape) > 1:
            value *= math.prod(shape[1:]) ** -0.5
        elif name.endswith("weight"):
            value = 1 + 0.1 * value
        else:
            value *= 0.1
        weights[name] = value
    return weights


def save(weights, path):
    """A file as mmcv 0.2 under torch 0.4 wrote it: in the old format, weights in "state_dict", other things beside."""
    meta = {"mmdet_version": "0.5.6", "config": "model = dict()", "epoch": 12, "iter": 23184, "time": "Wed Aug  7 2019",
            "mmcv_version": "0.2.2", "CLASSES": ("person", "giant_panda")}
    group = {"lr": 5e-5, "momentum": 0.9, "nesterov": False, "params": [140103448291264]}
    optimizer = {"state": {140103448291264: {"momentum_buffer": torch.zeros(3)}}, "param_groups": [group]}
    content = {"meta": meta, "state_dict": OrderedDict(weights), "optimizer": optimizer}
    torch.save(content, path, _use_new_zipfile_serialization=False)
