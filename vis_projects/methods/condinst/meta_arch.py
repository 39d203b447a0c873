"""CondInst as a Detectron2 meta-architecture for images, on which CrossVIS is pre-trained."""

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from detectron2.config import CfgNode, configurable
from detectron2.modeling import META_ARCH_REGISTRY, Backbone, build_backbone
from detectron2.structures import BitMasks, ImageList, Instances
from torch import Tensor, nn

from vis_projects.modeling.condinst import CondInstNetwork, condinst_parts
from vis_projects.structures.image_batch import image_batch, padding_of


@META_ARCH_REGISTRY.register()
class CondInst(CondInstNetwork):
    """FCOS with a small mask network of its own for each location. It remembers nothing from image to image.

    Takes and gives what Detectron2's own image models do; parameter names are AdelaiDet's.
    """

    @configurable
    def __init__(
        self, *, backbone: Backbone, pixel_mean: Sequence[float], pixel_std: Sequence[float], **kwargs: Any
    ) -> None:
        """
        Args:
            backbone: image (B, C, H, W) to a dict of feature maps.
            pixel_mean, pixel_std: per channel, in the channel order of the images.
            kwargs: of `CondInstNetwork`.
        """
        super().__init__(**kwargs)
        self.backbone = backbone
        self.register_buffer("pixel_mean", torch.tensor(pixel_mean).view(-1, 1, 1), persistent=False)
        self.register_buffer("pixel_std", torch.tensor(pixel_std).view(-1, 1, 1), persistent=False)

    @classmethod
    def from_config(cls, cfg: CfgNode) -> dict[str, Any]:
        backbone = build_backbone(cfg)
        return {"backbone": backbone, "pixel_mean": cfg.MODEL.PIXEL_MEAN, "pixel_std": cfg.MODEL.PIXEL_STD,
                **condinst_parts(cfg, backbone)}

    @property
    def device(self) -> torch.device:
        """Where the model lives and its inputs are moved to."""
        return self.pixel_mean.device

    def forward(self, batched_inputs: Sequence[Mapping[str, Any]]) -> dict[str, Tensor] | list[dict[str, Instances]]:
        """
        Args:
            batched_inputs: B dicts with `image` (C, h, w), values 0 to 255; in training `instances` with `gt_boxes`,
                `gt_classes` and `gt_masks` as BitMasks; for inference maybe `height` and `width` of the output.

        Returns:
            in training `loss_fcos_cls`, `loss_fcos_loc`, `loss_fcos_ctr`, `loss_mask`; else B dicts with `instances` at
            output size: `pred_boxes`, `scores`, `pred_classes`, `pred_masks` bool (n, height, width), best score first.

        Raises:
            TypeError: an image is no tensor (a video is none), or masks are polygons.
        """
        images = self._images(batched_inputs)
        heads = self.run_heads(images.tensor)
        if self.training:
            instances = [_with_bitmasks(item["instances"].to(self.device)) for item in batched_inputs]
            return self.frame_losses(heads, instances, tuple(images.tensor.shape[-2:]))[0]
        sizes = [(item.get("height", size[0]), item.get("width", size[1]))
                 for item, size in zip(batched_inputs, images.image_sizes)]
        found = self.detect_in(heads, images, sizes)
        for instances in found:
            instances.remove("rows")
        return [{"instances": instances} for instances in found]

    def _images(self, batched_inputs: Sequence[Mapping[str, Any]]) -> ImageList:
        for item in batched_inputs:
            if not isinstance(item["image"], Tensor):
                raise TypeError(
                    f"CondInst takes images, a tensor each, not {type(item['image']).__name__}; a video needs a model "
                    "that tracks: CondInstVIS, CrossVIS, or TrackByDetection around this one"
                )
        images = [item["image"] for item in batched_inputs]
        return image_batch(images, self.pixel_mean, self.pixel_std, **padding_of(self.backbone))


def _with_bitmasks(instances: Instances) -> Instances:
    if instances.has("gt_masks") and not isinstance(instances.gt_masks, BitMasks):
        raise TypeError(
            f"CondInst learns from BitMasks, not {type(instances.gt_masks).__name__}; set INPUT.MASK_FORMAT to "
            "'bitmask', or use MODEL.VIS.MAPPER ImageMapper"
        )
    return instances
