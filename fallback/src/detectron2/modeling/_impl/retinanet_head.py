"""The two convolutional towers of RetinaNet."""

import math
from typing import List

import torch
from torch import nn

from detectron2.config import configurable
from detectron2.layers import ShapeSpec, get_norm

from ..anchor_generator import build_anchor_generator
from .initializers import normal_fill
from .level_norm import LevelBatchNorm

_BATCH_NORMS = {"BN": nn.BatchNorm2d, "SyncBN": nn.SyncBatchNorm}


class RetinaNetHead(nn.Module):
    """Class scores and box deltas from towers that all levels share (arXiv 1708.02002).

    Args:
        input_shape: ShapeSpec of each feature map, equally wide.
        num_classes: K.
        num_anchors: anchors at each grid point.
        conv_dims: output channels of the towers' 3x3 convolutions.
        norm: as `get_norm` takes it; "BN" and "SyncBN" keep statistics for each level.
        prior_prob: foreground probability that the first predictions have.
    """

    @configurable
    def __init__(
        self, *, input_shape: List[ShapeSpec], num_classes, num_anchors, conv_dims: List[int], norm="",
        prior_prob=0.01
    ):
        super().__init__()
        self._num_features = len(input_shape)
        self.cls_subnet = self._tower(input_shape[0].channels, conv_dims, norm)
        self.bbox_subnet = self._tower(input_shape[0].channels, conv_dims, norm)
        self.cls_score = nn.Conv2d(conv_dims[-1], num_anchors * num_classes, kernel_size=3, padding=1)
        self.bbox_pred = nn.Conv2d(conv_dims[-1], num_anchors * 4, kernel_size=3, padding=1)
        for layer in self.modules():
            if isinstance(layer, nn.Conv2d):
                normal_fill(layer, std=0.01)
        # So that the many negatives do not swamp the first steps.
        nn.init.constant_(self.cls_score.bias, -math.log((1 - prior_prob) / prior_prob))

    @classmethod
    def from_config(cls, cfg, input_shape: List[ShapeSpec]):
        counts = set(build_anchor_generator(cfg, input_shape).num_anchors)
        assert len(counts) == 1, f"RetinaNet needs equally many anchors at all levels, got {sorted(counts)}"
        node = cfg.MODEL.RETINANET
        return {
            "input_shape": input_shape,
            "num_classes": node.NUM_CLASSES,
            "conv_dims": node.NUM_CONVS * [input_shape[0].channels],
            "prior_prob": node.PRIOR_PROB,
            "norm": node.NORM,
            "num_anchors": counts.pop(),
        }

    def forward(self, features: List[torch.Tensor]):
        """Predicts.

        Args:
            features: maps float (N, C, H_l, W_l), one for each of `input_shape`.

        Returns:
            (logits, deltas): for each map float (N, A * K, H_l, W_l) and
            (N, A * 4, H_l, W_l).
        """
        wanted = self._num_features
        assert len(features) == wanted, f"the head was built for {wanted} maps, got {len(features)}"
        logits = [self.cls_score(self.cls_subnet(feature)) for feature in features]
        deltas = [self.bbox_pred(self.bbox_subnet(feature)) for feature in features]
        return logits, deltas

    def _tower(self, channels, conv_dims, norm):
        layers = []
        for dim in conv_dims:
            layers.append(nn.Conv2d(channels, dim, kernel_size=3, stride=1, padding=1))
            if norm in _BATCH_NORMS:
                kind = _BATCH_NORMS[norm]
                layers.append(LevelBatchNorm([kind(dim, affine=False) for _ in range(self._num_features)], dim))
            elif norm:
                layers.append(get_norm(norm, dim))
            layers.append(nn.ReLU())
            channels = dim
        return nn.Sequential(*layers)
