"""`FCOS`: the head with its targets, losses and decoding in one module."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from detectron2.structures import ImageList, Instances
from torch import Tensor, nn

from vis_projects.modeling.fcos.decode import FCOSDecoder
from vis_projects.modeling.fcos.head import FCOSHead, FCOSOutputs
from vis_projects.modeling.fcos.locations import level_locations
from vis_projects.modeling.fcos.losses import FCOSLosses
from vis_projects.modeling.fcos.targets import FCOSTargets, fcos_targets, mask_centers

CENTER_MODES = ("mass", "box")


@dataclass
class FCOSPredictions:
    """What the head says about B images.

    Attributes:
        outputs: of the head.
        locations: L times (H * W, 2) of `level_locations`.
    """

    outputs: FCOSOutputs
    locations: list[Tensor]


class FCOS(nn.Module):
    """One-stage detector on feature maps. Its only weights are those of `fcos_head`."""

    def __init__(
        self,
        *,
        fcos_head: FCOSHead,
        strides: Sequence[int],
        level_ranges: Sequence[tuple[float, float]],
        decoder: FCOSDecoder,
        losses: FCOSLosses,
        num_classes: int,
        radius: float = 1.5,
        center_mode: str = "mass",
    ) -> None:
        """
        Args:
            fcos_head: the network.
            strides: L strides in pixels.
            level_ranges: of `fcos_targets`.
            decoder: for inference.
            losses: for training.
            num_classes: K.
            radius: of centre sampling in strides.
            center_mode: the centre of an object is that of its mask's "mass" or of its "box".
        """
        super().__init__()
        if center_mode not in CENTER_MODES:
            raise ValueError(f"MODEL.FCOS.CENTER_MODE is {center_mode!r}; choose from {CENTER_MODES}")
        self.fcos_head = fcos_head
        self.strides = tuple(strides)
        self.level_ranges = tuple(level_ranges)
        self.decoder = decoder
        self.losses = losses
        self.num_classes = num_classes
        self.radius = radius
        self.center_mode = center_mode

    def forward(self, features: Sequence[Tensor]) -> FCOSPredictions:
        """
        Args:
            features: L times (B, C, H, W).
        """
        locations = [
            level_locations(feature.shape[2:], stride, feature.device)
            for feature, stride in zip(features, self.strides)
        ]
        return FCOSPredictions(self.fcos_head(features), locations)

    @torch.no_grad()
    def assign(self, predictions: FCOSPredictions, instances: Sequence[Instances]) -> FCOSTargets:
        """Targets of B images.

        Args:
            predictions: of these images.
            instances: with `gt_boxes`, `gt_classes` and, for centres of mass, `gt_masks` as BitMasks.
        """
        centers = None
        if self.center_mode == "mass":
            centers = [mask_centers(image.gt_masks.tensor) for image in instances]
        return fcos_targets(
            predictions.locations, self.strides, instances, self.num_classes, centers=centers,
            level_ranges=self.level_ranges, radius=self.radius,
        )

    def detect(self, predictions: FCOSPredictions, images: ImageList) -> list[Instances]:
        """Detections of B images, see `FCOSDecoder`."""
        return self.decoder(predictions.outputs, predictions.locations, images)
