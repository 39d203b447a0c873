"""DeepSORT's appearance network as a Detectron2 meta-architecture, for its training on the labels of videos."""

from typing import Any

import torch
from detectron2.config import CfgNode, configurable
from detectron2.layers import ROIAlign
from detectron2.modeling import META_ARCH_REGISTRY
from detectron2.utils.events import get_event_storage, has_event_storage
from torch import Tensor, nn

from vis_projects.methods.deepsort.losses import identity_loss, nearest_accuracy
from vis_projects.methods.deepsort.network import AppearanceNet


@META_ARCH_REGISTRY.register()
class ReIDNetwork(nn.Module):
    """Embeds boxes of frames; learns from which boxes of a video show the same object.

    It has nothing to evaluate by itself: ``DeepSORTTracker`` uses ``embed`` behind a detector. Its input does not
    depend on the detector's normalisation or channel order.
    """

    @configurable
    def __init__(
        self, *, net: AppearanceNet, crop_size: int = 64, temperature: float = 0.1, box_jitter: float = 0.1,
        rgb: bool = False,
    ) -> None:
        """
        Args:
            net: crops to unit vectors.
            crop_size: side of a crop in pixels.
            temperature: of the loss.
            box_jitter: random change of the boxes in training, as a fraction of their sides.
            rgb: the frames are RGB; they are turned into BGR then.
        """
        super().__init__()
        self.net = net
        self.pool = ROIAlign((crop_size, crop_size), spatial_scale=1.0, sampling_ratio=0, aligned=True)
        self.temperature = temperature
        self.box_jitter = box_jitter
        self.rgb = rgb

    @classmethod
    def from_config(cls, cfg: CfgNode) -> dict[str, Any]:
        node = cfg.MODEL.REID
        if cfg.INPUT.FORMAT not in ("BGR", "RGB"):
            raise ValueError(f"INPUT.FORMAT is {cfg.INPUT.FORMAT!r}; the re-identification network knows BGR and RGB")
        return {
            "net": AppearanceNet(crop_size=node.CROP_SIZE, width=node.WIDTH, embed_dim=node.EMBED_DIM),
            "crop_size": node.CROP_SIZE,
            "temperature": node.TEMPERATURE,
            "box_jitter": node.BOX_JITTER,
            "rgb": cfg.INPUT.FORMAT == "RGB",
        }

    @property
    def device(self) -> torch.device:
        """Where the network lives and its inputs are moved to."""
        return self.net.dense.weight.device

    def embed(self, frame: Tensor, boxes: Tensor) -> Tensor:
        """Embeds boxes of one frame.

        Args:
            frame: (3, h, w) uint8 in the channel order of INPUT.FORMAT.
            boxes: (n, 4) xyxy in pixels of the frame.

        Returns:
            (n, D) float32 of length 1.
        """
        return self.net(self._crop(frame, boxes))

    def forward(self, batch: list[dict[str, Any]]) -> dict[str, Tensor]:
        """Training loss of a batch of clips, whatever the roles of their frames are.

        Args:
            batch: items of the mapper, with ``gt_boxes`` and ``gt_identities``.

        Returns:
            ``loss_reid``.

        Raises:
            RuntimeError: in evaluation mode.
        """
        if not self.training:
            raise RuntimeError(
                "ReIDNetwork trains the network of DeepSORTTracker and finds nothing by itself; evaluate a "
                "TrackByDetection config with MODEL.VIS.TRACKER.NAME DeepSORTTracker and this run's checkpoint in "
                "MODEL.VIS.TRACKER.WEIGHTS"
            )
        crops, identities = [], []
        for item in batch:
            for frame, objects in zip(item["image"], item["instances"], strict=True):
                boxes = jitter_boxes(objects.gt_boxes.tensor.to(self.device), self.box_jitter)
                crops.append(self._crop(frame, boxes))
                identities.append(objects.gt_identities.to(self.device))
        embeddings, known = self.net(torch.cat(crops)), torch.cat(identities)
        accuracy = nearest_accuracy(embeddings, known)
        if accuracy is not None and has_event_storage():
            get_event_storage().put_scalar("reid/nearest_accuracy", accuracy)
        loss = identity_loss(embeddings, known, self.temperature)
        if len(known) == 0:
            # nothing went through the network, yet every parameter must get a gradient in every process
            loss = loss + sum(parameter.sum() for parameter in self.net.parameters()) * 0.0
        return {"loss_reid": loss}

    def _crop(self, frame: Tensor, boxes: Tensor) -> Tensor:
        """(n, 3, crop_size, crop_size) float in [-1, 1], BGR."""
        pixels = frame.to(self.device).float() / 127.5 - 1.0
        if self.rgb:
            pixels = pixels.flip(0)
        rois = torch.cat([boxes.new_zeros(len(boxes), 1), boxes], dim=1)
        return self.pool(pixels[None], rois.float())


def jitter_boxes(boxes: Tensor, fraction: float) -> Tensor:
    """Moves each side of (n, 4) xyxy boxes by up to this fraction of the box's width or height."""
    sides = (boxes[:, 2:] - boxes[:, :2]).repeat(1, 2)
    return boxes + (torch.rand_like(boxes) * 2 - 1) * fraction * sides
