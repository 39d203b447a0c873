"""Two-stage detectors: backbone, proposal generator and ROI heads in one model."""

import logging
from typing import Dict, List, Optional, Tuple

import torch
from torch import nn

from detectron2.config import configurable
from detectron2.layers import move_device_like
from detectron2.structures import ImageList, Instances
from detectron2.utils.events import get_event_storage
from detectron2.utils.logger import log_first_n

from .._impl.training_images import store_proposals
from ..backbone import Backbone, build_backbone
from ..postprocessing import detector_postprocess
from ..proposal_generator import build_proposal_generator
from ..roi_heads import build_roi_heads
from .build import META_ARCH_REGISTRY

__all__ = ["GeneralizedRCNN", "ProposalNetwork"]


@META_ARCH_REGISTRY.register()
class GeneralizedRCNN(nn.Module):
    """Faster R-CNN, Mask R-CNN and their relatives.

    Args:
        backbone: images -> named feature maps.
        proposal_generator: proposes boxes; None when the inputs bring `proposals`.
        roi_heads: works on the proposals.
        pixel_mean: mean of each image channel, in the images' units.
        pixel_std: deviation of each channel.
        input_format: channel order of the images ("BGR", "RGB", ...); only for pictures
            of the training.
        vis_period: every that many iterations such pictures go into the event storage;
            0 for never.

    Raises:
        AssertionError: when mean and deviation differ in length, or for a positive
            `vis_period` without `input_format`.
    """

    @configurable
    def __init__(
        self, *, backbone: Backbone, proposal_generator: nn.Module, roi_heads: nn.Module,
        pixel_mean: Tuple[float], pixel_std: Tuple[float], input_format: Optional[str] = None,
        vis_period: int = 0
    ):
        super().__init__()
        self.backbone = backbone
        self.proposal_generator = proposal_generator
        self.roi_heads = roi_heads
        assert vis_period <= 0 or input_format is not None, "a positive vis_period needs input_format"
        self.input_format = input_format
        self.vis_period = vis_period
        _register_pixel_statistics(self, pixel_mean, pixel_std)

    @classmethod
    def from_config(cls, cfg):
        backbone = build_backbone(cfg)
        shapes = backbone.output_shape()
        return {
            "backbone": backbone,
            "proposal_generator": build_proposal_generator(cfg, shapes),
            "roi_heads": build_roi_heads(cfg, shapes),
            "input_format": cfg.INPUT.FORMAT,
            "vis_period": cfg.VIS_PERIOD,
            "pixel_mean": cfg.MODEL.PIXEL_MEAN,
            "pixel_std": cfg.MODEL.PIXEL_STD,
        }

    @property
    def device(self):
        """Device of the model."""
        return self.pixel_mean.device

    def forward(self, batched_inputs: List[Dict[str, torch.Tensor]]):
        """Runs the model.

        Args:
            batched_inputs: one dict for each image with "image", uint8 or float (C, H, W)
                in `input_format`; in training "instances" with ground truth; for models
                without a generator "proposals"; optionally "height" and "width", the
                size of the result.

        Returns:
            In training a dict of scalar losses; else for each image a dict with
            "instances".
        """
        if not self.training:
            return self.inference(batched_inputs)
        images = self.preprocess_image(batched_inputs)
        truth = _ground_truth(batched_inputs, self.device, old_name=None)
        features = self.backbone(images.tensor)
        proposals, proposal_losses = self._propose(batched_inputs, images, features, truth)
        _, losses = self.roi_heads(images, features, proposals, truth)
        if self.vis_period > 0 and get_event_storage().iter % self.vis_period == 0:
            self.visualize_training(batched_inputs, proposals)
        return {**losses, **proposal_losses}

    def inference(
        self, batched_inputs: List[Dict[str, torch.Tensor]],
        detected_instances: Optional[List[Instances]] = None, do_postprocess: bool = True
    ):
        """Runs the model on images without ground truth.

        Args:
            batched_inputs: as in `forward`.
            detected_instances: for each image, Instances with `pred_boxes` and
                `pred_classes`; then only the other heads run, on these.
            do_postprocess: bring the results to each image's "height" and "width".

        Returns:
            List of dicts with "instances"; without post-processing, list of Instances on
            the network's input size.
        """
        assert not self.training, "inference needs eval mode; call eval() first"
        images = self.preprocess_image(batched_inputs)
        features = self.backbone(images.tensor)
        if detected_instances is None:
            proposals, _ = self._propose(batched_inputs, images, features, None)
            results, _ = self.roi_heads(images, features, proposals, None)
        else:
            given = [instances.to(self.device) for instances in detected_instances]
            results = self.roi_heads.forward_with_given_boxes(features, given)
        return self._postprocess(results, batched_inputs, images.image_sizes) if do_postprocess else results

    def preprocess_image(self, batched_inputs: List[Dict[str, torch.Tensor]]):
        """Normalises, pads and batches the images.

        Args:
            batched_inputs: as in `forward`.

        Returns:
            ImageList on the model's device, padded as the backbone needs it.
        """
        return _batch_images(self, batched_inputs)

    def visualize_training(self, batched_inputs, proposals):
        """Puts the first image's ground truth and best proposals into the event storage.

        Args:
            batched_inputs: as in `forward`, with "instances".
            proposals: for each image, Instances with `proposal_boxes` and
                `objectness_logits`.
        """
        store_proposals(batched_inputs, proposals, self.input_format)

    def _propose(self, batched_inputs, images, features, truth):
        """Proposals of the generator and its losses, or those of the inputs."""
        if self.proposal_generator is not None:
            return self.proposal_generator(images, features, truth)
        assert "proposals" in batched_inputs[0], "a model without proposal generator needs 'proposals' in its inputs"
        return [item["proposals"].to(self.device) for item in batched_inputs], {}

    def _move_to_current_device(self, x):
        return move_device_like(x, self.pixel_mean)

    @staticmethod
    def _postprocess(instances, batched_inputs: List[Dict[str, torch.Tensor]], image_sizes):
        """Brings each image's results to its wanted size."""
        return [
            {"instances": detector_postprocess(found, *_wanted_size(item, size))}
            for found, item, size in zip(instances, batched_inputs, image_sizes)
        ]


@META_ARCH_REGISTRY.register()
class ProposalNetwork(nn.Module):
    """A proposal generator on a backbone, to train or run alone.

    Args:
        backbone: images -> named feature maps.
        proposal_generator: proposes boxes.
        pixel_mean: mean of each image channel, in the images' units.
        pixel_std: deviation of each channel.
    """

    @configurable
    def __init__(
        self, *, backbone: Backbone, proposal_generator: nn.Module, pixel_mean: Tuple[float],
        pixel_std: Tuple[float]
    ):
        super().__init__()
        self.backbone = backbone
        self.proposal_generator = proposal_generator
        _register_pixel_statistics(self, pixel_mean, pixel_std)

    @classmethod
    def from_config(cls, cfg):
        backbone = build_backbone(cfg)
        return {
            "backbone": backbone,
            "proposal_generator": build_proposal_generator(cfg, backbone.output_shape()),
            "pixel_mean": cfg.MODEL.PIXEL_MEAN,
            "pixel_std": cfg.MODEL.PIXEL_STD,
        }

    @property
    def device(self):
        """Device of the model."""
        return self.pixel_mean.device

    def forward(self, batched_inputs):
        """Runs the model.

        Args:
            batched_inputs: as in `GeneralizedRCNN.forward`.

        Returns:
            In training a dict of scalar losses; else for each image a dict with
            "proposals", on its wanted size.
        """
        images = _batch_images(self, batched_inputs)
        features = self.backbone(images.tensor)
        truth = _ground_truth(batched_inputs, self.device)
        proposals, losses = self.proposal_generator(images, features, truth)
        if self.training:
            return losses
        return [
            {"proposals": detector_postprocess(found, *_wanted_size(item, size))}
            for found, item, size in zip(proposals, batched_inputs, images.image_sizes)
        ]

    def _move_to_current_device(self, x):
        return move_device_like(x, self.pixel_mean)


def _register_pixel_statistics(model, mean, std):
    """Adds the buffers `pixel_mean` and `pixel_std`, (C, 1, 1), outside the state dict."""
    for name, values in (("pixel_mean", mean), ("pixel_std", std)):
        model.register_buffer(name, torch.tensor(values).view(-1, 1, 1), persistent=False)
    assert model.pixel_mean.shape == model.pixel_std.shape, (
        f"pixel_mean has {len(mean)} channels, pixel_std {len(std)}"
    )


def _batch_images(model, batched_inputs):
    images = [model._move_to_current_device(item["image"]) for item in batched_inputs]
    return ImageList.from_tensors(
        [(image - model.pixel_mean) / model.pixel_std for image in images],
        model.backbone.size_divisibility,
        padding_constraints=model.backbone.padding_constraints,
    )


def _ground_truth(batched_inputs, device, old_name="targets"):
    """The Instances of each input on the device, or None where the first has none."""
    for name in ("instances", old_name):
        if name in batched_inputs[0]:
            if name == old_name:
                message = "the model inputs name their ground truth 'targets'; call it 'instances'"
                log_first_n(logging.WARNING, message, n=10)
            return [item[name].to(device) for item in batched_inputs]
    return None


def _wanted_size(item, image_size):
    """(height, width) that the input asks for, by default that of its image."""
    return item.get("height", image_size[0]), item.get("width", image_size[1])
