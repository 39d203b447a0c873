"""Masks of Mask R-CNN (arXiv 1703.06870): the head, its loss and its inference."""

from typing import List

import torch
import torch.nn.functional as F
from fvcore.common.registry import Registry
from torch import nn

from detectron2.config import configurable
from detectron2.layers import Conv2d, ConvTranspose2d, ShapeSpec, cat, get_norm
from detectron2.structures import Instances
from detectron2.utils.events import get_event_storage

from .._impl.initializers import msra_fill, normal_fill

__all__ = ["BaseMaskRCNNHead", "MaskRCNNConvUpsampleHead", "build_mask_head", "ROI_MASK_HEAD_REGISTRY"]

ROI_MASK_HEAD_REGISTRY = Registry("ROI_MASK_HEAD")
ROI_MASK_HEAD_REGISTRY.__doc__ = "Classes built as `(cfg, input_shape: ShapeSpec)`, found by MODEL.ROI_MASK_HEAD.NAME."


def mask_rcnn_loss(pred_mask_logits: torch.Tensor, instances: List[Instances], vis_period: int = 0):
    """Mean binary cross entropy of the masks of the true classes.

    Args:
        pred_mask_logits: float (R, K, M, M), or (R, 1, M, M) class-agnostic.
        instances: for each image, Instances with `proposal_boxes`, `gt_classes` and
            `gt_masks`, R rows in all.
        vis_period: every that many iterations masks are put into the event storage as
            images; 0 for never.

    Returns:
        float scalar; 0, but with a gradient, when R is 0. Logs pixel accuracy, false
        positives and false negatives.
    """
    count, channels, side, width = pred_mask_logits.shape
    assert side == width, f"mask logits must be square, got {side}x{width}"
    filled = [image for image in instances if len(image)]
    if not filled:
        return pred_mask_logits.sum() * 0
    device = pred_mask_logits.device
    target = cat(
        [image.gt_masks.crop_and_resize(image.proposal_boxes.tensor, side).to(device=device) for image in filled]
    )
    if channels == 1:
        logits = pred_mask_logits[:, 0]
    else:
        classes = cat([image.gt_classes.to(torch.int64) for image in filled])
        logits = pred_mask_logits[torch.arange(count, device=classes.device), classes]
    truth = target if target.dtype == torch.bool else target > 0.5
    target = target.to(torch.float32)
    _log_mask_stats(logits > 0.0, truth)
    storage = get_event_storage()
    if vis_period > 0 and storage.iter % vis_period == 0:
        _store_masks(storage, logits.sigmoid(), target)
    return F.binary_cross_entropy_with_logits(logits, target, reduction="mean")


def _log_mask_stats(predicted, truth):
    """Logs shares of pixels; both arguments are bool (R, M, M)."""
    wrong = predicted != truth
    pixels, positive = truth.numel(), int(truth.sum())
    storage = get_event_storage()
    storage.put_scalar("mask_rcnn/accuracy", 1 - int(wrong.sum()) / max(pixels, 1.0))
    false_positive = int((wrong & ~truth).sum()) / max(pixels - positive, 1.0)
    storage.put_scalar("mask_rcnn/false_positive", false_positive)
    storage.put_scalar("mask_rcnn/false_negative", int((wrong & truth).sum()) / max(positive, 1.0))


def _store_masks(storage, probabilities, target):
    title = "Left: mask prediction;   Right: mask GT"
    for index, pair in enumerate(torch.cat([probabilities, target], dim=2)):
        storage.put_image(f"{title} ({index})", torch.stack([pair] * 3, dim=0))


def mask_rcnn_inference(pred_mask_logits: torch.Tensor, pred_instances: List[Instances]):
    """Sets `pred_masks` of each image: the probabilities of the predicted classes.

    Args:
        pred_mask_logits: float (R, K, M, M), or (R, 1, M, M) class-agnostic.
        pred_instances: for each image, Instances with `pred_classes`, R rows in all;
            gain `pred_masks`, float (R_i, 1, M, M).
    """
    chosen = pred_mask_logits
    if pred_mask_logits.shape[1] != 1:
        classes = cat([image.pred_classes for image in pred_instances])
        rows = torch.arange(pred_mask_logits.shape[0], device=classes.device)
        chosen = pred_mask_logits[rows, classes][:, None]
    split = chosen.sigmoid().split([len(image) for image in pred_instances], dim=0)
    for image, masks in zip(pred_instances, split):
        image.pred_masks = masks


class BaseMaskRCNNHead(nn.Module):
    """Loss and inference of masks; a subclass brings the network as `layers`.

    Args:
        loss_weight: factor of the loss.
        vis_period: as in `mask_rcnn_loss`.
    """

    @configurable
    def __init__(self, *, loss_weight: float = 1.0, vis_period: int = 0):
        super().__init__()
        self.vis_period = vis_period
        self.loss_weight = loss_weight

    @classmethod
    def from_config(cls, cfg, input_shape):
        return {"vis_period": cfg.VIS_PERIOD}

    def forward(self, x, instances: List[Instances]):
        """Runs the network on pooled features of all instances.

        Args:
            x: features of the R instances.
            instances: as `mask_rcnn_loss` needs them in training, else as
                `mask_rcnn_inference` does.

        Returns:
            In training a dict with the scalar "loss_mask"; else `instances`.
        """
        logits = self.layers(x)
        if not self.training:
            mask_rcnn_inference(logits, instances)
            return instances
        return {"loss_mask": self.loss_weight * mask_rcnn_loss(logits, instances, self.vis_period)}

    def layers(self, x):
        """Maps the features to logits, float (R, K or 1, M, M)."""
        raise NotImplementedError(f"{type(self).__name__} has no `layers`")


@ROI_MASK_HEAD_REGISTRY.register()
class MaskRCNNConvUpsampleHead(BaseMaskRCNNHead, nn.Sequential):
    """3x3 convolutions, a transposed one that doubles the size, and a 1x1 predictor.

    Args:
        input_shape: ShapeSpec of the pooled features; only its channels are used.
        num_classes: output channels, 1 for class-agnostic masks.
        conv_dims: output channels of the convolutions and, last, of the transposed one.
        conv_norm: norm of the convolutions, as `get_norm` takes it.
        **kwargs: arguments of `BaseMaskRCNNHead`.

    Raises:
        AssertionError: for empty `conv_dims`.
    """

    @configurable
    def __init__(self, input_shape: ShapeSpec, *, num_classes, conv_dims, conv_norm="", **kwargs):
        super().__init__(**kwargs)
        assert len(conv_dims) >= 1, "conv_dims of the mask head is empty; it ends with the transposed convolution's"
        channels = input_shape.channels
        self.conv_norm_relus = []
        for number, dim in enumerate(conv_dims[:-1], start=1):
            conv = Conv2d(
                channels,
                dim,
                kernel_size=3,
                stride=1,
                padding=1,
                bias=not conv_norm,
                norm=get_norm(conv_norm, dim),
                activation=nn.ReLU(),
            )
            self.add_module(f"mask_fcn{number}", conv)
            self.conv_norm_relus.append(conv)
            channels = dim
        self.deconv = ConvTranspose2d(channels, conv_dims[-1], kernel_size=2, stride=2, padding=0)
        self.add_module("deconv_relu", nn.ReLU())
        self.predictor = Conv2d(conv_dims[-1], num_classes, kernel_size=1, stride=1, padding=0)
        for layer in (*self.conv_norm_relus, self.deconv):
            msra_fill(layer)
        normal_fill(self.predictor, std=0.001)

    @classmethod
    def from_config(cls, cfg, input_shape):
        node = cfg.MODEL.ROI_MASK_HEAD
        arguments = super().from_config(cfg, input_shape)
        arguments.update(
            input_shape=input_shape,
            num_classes=1 if node.CLS_AGNOSTIC_MASK else cfg.MODEL.ROI_HEADS.NUM_CLASSES,
            # The transposed convolution is as wide as the others.
            conv_dims=[node.CONV_DIM] * (node.NUM_CONV + 1),
            conv_norm=node.NORM,
        )
        return arguments

    def layers(self, x):
        """Maps float (R, C, H, W) to logits (R, num_classes, 2H, 2W)."""
        for layer in self:
            x = layer(x)
        return x


def build_mask_head(cfg, input_shape):
    """Builds the head that MODEL.ROI_MASK_HEAD.NAME names.

    Args:
        cfg: a config node.
        input_shape: ShapeSpec of the pooled features.
    """
    return ROI_MASK_HEAD_REGISTRY.get(cfg.MODEL.ROI_MASK_HEAD.NAME)(cfg, input_shape)
