"""OSMN's training as a Detectron2 meta-architecture."""

from typing import Any

import torch
from detectron2.config import CfgNode, configurable
from detectron2.modeling import META_ARCH_REGISTRY
from detectron2.structures import Instances
from torch import Tensor, nn
from torch.nn import functional as F

from vis_projects.methods.osmn.guides import crop_boxes, crop_guides, jitter_crops, jitter_locations, random_angles
from vis_projects.methods.osmn.imagenet import expand_vgg_names
from vis_projects.methods.osmn.losses import balanced_mask_loss
from vis_projects.methods.osmn.propagator import MaskPropagator
from vis_projects.modeling import positions_of
from vis_projects.structures.clip import Clip

ROLES = ("guide", "key", "previous")


@META_ARCH_REGISTRY.register()
class OSMN(nn.Module):
    """Learns to segment, in one frame, objects that it is shown in another one.

    It has nothing to evaluate by itself: `OSMNTracker` uses its `propagator` behind a detector.
    """

    @configurable
    def __init__(
        self, *, propagator: MaskPropagator, max_objects: int = 4, guide_crop: float = 0.1,
        guide_rotation_deg: float = 10.0, guide_flip: bool = True, center_jitter: float = 0.2, std_jitter: float = 0.4,
    ) -> None:
        """
        Args:
            propagator: what is trained.
            max_objects: of each clip; others are left out, drawn anew each time.
            guide_crop, guide_rotation_deg, guide_flip: random changes of the visual guide.
            center_jitter, std_jitter: random changes of the spatial guide, see `jitter_locations`.
        """
        super().__init__()
        self.propagator = propagator
        self.max_objects = max_objects
        self.guide_crop, self.guide_rotation_deg, self.guide_flip = guide_crop, guide_rotation_deg, guide_flip
        self.center_jitter, self.std_jitter = center_jitter, std_jitter

    @classmethod
    def from_config(cls, cfg: CfgNode) -> dict[str, Any]:
        node = cfg.MODEL.OSMN
        return {
            "propagator": MaskPropagator(cfg),
            "max_objects": node.MAX_TRAIN_OBJECTS,
            "guide_crop": node.GUIDE_CROP,
            "guide_rotation_deg": node.GUIDE_ROTATION_DEG,
            "guide_flip": node.GUIDE_FLIP,
            "center_jitter": node.CENTER_JITTER,
            "std_jitter": node.STD_JITTER,
        }

    @property
    def device(self) -> torch.device:
        """Where the model lives and its inputs are moved to."""
        return self.propagator.pixel_mean.device

    def forward(self, batch: list[dict[str, Any]]) -> dict[str, Tensor]:
        """Training loss of a batch of clips.

        Args:
            batch: items of `OSMNMapper`.

        Returns:
            `loss_mask`.

        Raises:
            RuntimeError: in evaluation mode.
            ValueError: the clips are no ("key", "previous", "guide").
        """
        if not self.training:
            raise RuntimeError(
                "OSMN trains the network of OSMNTracker and finds nothing by itself; evaluate a TrackByDetection "
                "config with MODEL.VIS.TRACKER.NAME OSMNTracker and this run's checkpoint in MODEL.VIS.TRACKER.WEIGHTS"
            )
        net = self.propagator
        clip = Clip.from_batch(batch, self.device, net.pixel_mean, net.pixel_std,
                               size_divisibility=net.segmentation.size_divisibility)
        if sorted(clip.roles) != sorted(ROLES):
            raise ValueError(f"OSMN trains on one frame each of {ROLES} per clip, not on {clip.roles}; use "
                             "MODEL.VIS.MAPPER OSMNMapper")
        images = {role: net.as_rgb(clip.images.tensor[clip.rows(role)]) for role in ROLES}
        clips, masks = self._objects(clip)
        if len(clips) == 0:
            # an object that was nowhere, with no weight: every parameter gets its gradient in every process
            clips = torch.zeros(1, dtype=torch.int64, device=self.device)
            masks = {role: torch.zeros_like(clip.images.tensor[:1, 0], dtype=torch.bool) for role in ROLES}
        locations = jitter_locations(net.locate(masks["previous"]), self.center_jitter, self.std_jitter)
        factors = self._factors(images["guide"][clips], masks["guide"])
        logits = net.logits(images["key"], clips, factors, locations)
        valid = self._valid(clip)[clips] & masks["guide"].flatten(1).any(1)[:, None, None]
        targets, valid = net.as_seen(masks["key"], locations), net.as_seen(valid, locations)
        return {"loss_mask": balanced_mask_loss(logits, targets, valid)}

    def _load_from_state_dict(self, state_dict: dict[str, Tensor], prefix: str, *args: Any) -> None:
        if prefix == "":
            expand_vgg_names(self, state_dict)
        super()._load_from_state_dict(state_dict, prefix, *args)

    def _objects(self, clip: Clip) -> tuple[Tensor, dict[str, Tensor]]:
        """The objects that all three frames show.

        Returns:
            their clips, (N,) int64; their masks by role, bool (N, H, W) of padded size.
        """
        size = tuple(clip.images.tensor.shape[-2:])
        clips, masks = [], {role: [] for role in ROLES}
        for b, (key, previous, guide) in enumerate(
            zip(*(clip.instances_of(role) for role in ("key", "previous", "guide")), strict=True)
        ):
            places = {"previous": positions_of(key.gt_ids, previous.gt_ids),
                      "guide": positions_of(key.gt_ids, guide.gt_ids)}
            shown = torch.nonzero((places["previous"] >= 0) & (places["guide"] >= 0)).flatten()
            chosen = shown[torch.randperm(len(shown), device=shown.device)[: self.max_objects]]
            clips.append(torch.full_like(chosen, b))
            for role, objects, rows in (("key", key, chosen), ("previous", previous, places["previous"][chosen]),
                                        ("guide", guide, places["guide"][chosen])):
                masks[role].append(_padded_masks(objects, rows, size))
        return torch.cat(clips), {role: torch.cat(parts) for role, parts in masks.items()}

    def _factors(self, images: Tensor, masks: Tensor) -> Tensor | None:
        """(N, P) factors of randomly changed visual guides; images (N, 3, H, W), masks (N, H, W)."""
        net = self.propagator
        if net.visual is None:
            return None
        boxes = jitter_crops(crop_boxes(masks, net.guide_pad), self.guide_crop)
        angles = random_angles(len(masks), self.guide_rotation_deg, self.device)
        mirrored = (torch.rand(len(masks), device=self.device) < 0.5) & self.guide_flip
        return net.visual(crop_guides(images, masks, boxes, net.visual.guide_size, angles=angles, mirrored=mirrored))

    def _valid(self, clip: Clip) -> Tensor:
        """bool (B, H, W): pixels of the key frames that are no padding."""
        height, width = clip.images.tensor.shape[-2:]
        sizes = torch.tensor([clip.images.image_sizes[row] for row in clip.rows("key").tolist()], device=self.device)
        rows = torch.arange(height, device=self.device)[None, :] < sizes[:, :1]
        columns = torch.arange(width, device=self.device)[None, :] < sizes[:, 1:]
        return rows[:, :, None] & columns[:, None, :]


def _padded_masks(objects: Instances, rows: Tensor, size: tuple[int, int]) -> Tensor:
    """bool (n, H, W): masks of the chosen rows, padded on the right and below."""
    masks = objects.gt_masks.tensor[rows]
    height, width = masks.shape[1:]
    return F.pad(masks, (0, size[1] - width, 0, size[0] - height))
