"""CompFeat as a Detectron2 meta-architecture."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, partial
from typing import Any

import torch
from detectron2.config import CfgNode, configurable
from detectron2.modeling import META_ARCH_REGISTRY, detector_postprocess
from detectron2.structures import Boxes, ImageList, Instances
from torch import Tensor

from vis_projects.methods.compfeat.dual_attention import DualAttention
from vis_projects.methods.compfeat.frame_attention import FrameAttention
from vis_projects.methods.compfeat.raw_features import RawFeatures
from vis_projects.methods.compfeat.references import References
from vis_projects.methods.compfeat.split_fpn import SplitFPN
from vis_projects.methods.compfeat.supports import Sites, SupportFrames
from vis_projects.methods.compfeat.valid_cells import ValidCells
from vis_projects.modeling import VideoState
from vis_projects.modeling.track_rcnn import TrackRCNN, with_reference_pids
from vis_projects.modeling.track_rcnn.model import boxes_in_network_pixels, images_of
from vis_projects.structures.clip import Clip
from vis_projects.tracking import build_tracker

PLACEMENTS = ("backbone", "fpn")
MEMORY_FEATS = ("raw", "attended")


@dataclass
class CompFeatState(VideoState):
    """Also the video's support frames.

    Attributes:
        supports: None where nothing attends to other frames.
    """

    supports: SupportFrames | None = None


@META_ARCH_REGISTRY.register()
class CompFeat(TrackRCNN):
    """MaskTrack R-CNN with frame-level attention, object-level attention and correlation tracking, each a switch.

    The current frame is attended; supports and reference frame never are. Supports give keys and values before the FPN
    to the frame level and after it to the object level.
    """

    @configurable
    def __init__(
        self,
        *,
        frame_attention: FrameAttention | None,
        placement: str,
        support_grad: bool,
        mask_padding: bool,
        memory_feats: str,
        support_options: dict[str, Any],
        **kwargs: Any,
    ) -> None:
        """
        Args:
            frame_attention: on ResNet stages or FPN levels, or None.
            placement: "backbone" or "fpn", where it stands.
            support_grad: gradients flow into the support frames.
            mask_padding: cells in the padding take no part in attention.
            memory_feats: "raw" or "attended", what the memory keeps of a track.
            support_options: ``mode``, ``count`` and ``capacity`` of ``SupportFrames``.
            kwargs: of ``TrackRCNN``; the backbone is a ``SplitFPN``, the ROI heads are ``CompFeatROIHeads``.
        """
        super().__init__(**kwargs)
        for key, value, known in (("FDA.PLACEMENT", placement, PLACEMENTS),
                                  ("TRACK.MEMORY_FEATS", memory_feats, MEMORY_FEATS)):
            if value not in known:
                raise ValueError(f"MODEL.COMPFEAT.{key} is {value!r}; choose from {known}")
        if not isinstance(self.backbone, SplitFPN):
            raise ValueError(f"CompFeat needs a backbone in two halves, not {type(self.backbone).__name__}; set "
                             "MODEL.BACKBONE.NAME to build_split_resnet_fpn_backbone")
        self.frame_attention = frame_attention
        self.placement = placement
        self.support_grad = support_grad
        self.mask_padding = mask_padding
        self.memory_feats = memory_feats
        self.support_options = support_options
        SupportFrames(**support_options, frames=())  # complains now about options that no video could start with

    @classmethod
    def from_config(cls, cfg: CfgNode) -> dict[str, Any]:
        ret = super().from_config(cfg)
        node = cfg.MODEL.COMPFEAT
        ret["frame_attention"] = _frame_attention(node.FDA, ret["backbone"])
        ret |= {
            "placement": node.FDA.PLACEMENT, "support_grad": node.SUPPORT_GRAD, "mask_padding": node.MASK_PADDING,
            "memory_feats": node.TRACK.MEMORY_FEATS,
            "support_options": {"mode": node.TEST.SUPPORT, "count": node.TEST.NUM_SUPPORT,
                                "capacity": node.TEST.CACHE_FRAMES},
            # A copy: what a caller changes in cfg later must not reach videos that start later.
            "tracker_factory": partial(build_tracker, cfg.clone()),
        }
        return ret

    @property
    def uses_supports(self) -> bool:
        """Whether anything attends to other frames."""
        levels = (self.frame_attention, self.roi_heads.object_attention)
        return any(level is not None and level.uses_supports for level in levels)

    def losses(self, clip: Clip) -> dict[str, Tensor]:
        """Losses of B clips: those of RPN, box, mask and track branch.

        Args:
            clip: each clip with one frame of role "key", one of role "reference", both with ``gt_boxes`` and
                ``gt_ids``, the key also with ``gt_classes`` and ``gt_masks``, and, where anything attends to other
                frames, one or more of role "support".
        """
        self._check_roles(clip)
        key, reference, sites = self._training_features(clip)
        images, references = images_of(clip, "key"), clip.instances_of("reference")
        features = self._attend(key, sites, self._valid(images))
        keys = clip.instances_of("key")
        targets = [with_reference_pids(now, then) for now, then in zip(keys, references, strict=True)]
        proposals, losses = self.proposal_generator(images, features, targets)
        looks = self.roi_heads.looks(reference.pyramid, [x.gt_boxes for x in references])
        looks = looks.split([len(x) for x in references])
        matched = [References.of(*row) for row in zip(looks, references, keys, strict=True)]
        _, roi_losses = self.roi_heads(images, features, proposals, targets, matched, sites)
        return {**losses, **roi_losses}

    def init_state(self, video: dict[str, Any]) -> CompFeatState:
        """See ``OnlineVISModel``; "uniform_video" takes its supports from ``video["image"]``, all of its frames."""
        state = CompFeatState(**vars(super().init_state(video)))
        if self.uses_supports:
            frames = video.get("image")
            known = hasattr(frames, "__len__") and hasattr(frames, "__getitem__")
            state.supports = SupportFrames(
                **self.support_options, frames=frames if known else None, name=f"video {state.video_id}")
            state.inference_mode = state.supports.description
        return state

    def detect(self, images: ImageList, state: CompFeatState) -> Instances:
        """Detections of one frame with what ``CompFeatTracker`` needs, see ``OnlineVISModel``."""
        raw, features, sites = self._frame(images, state)
        proposals, _ = self.proposal_generator(images, features, None)
        (detections,), _ = self.roi_heads(images, features, proposals, None, None, sites)
        detections.pred_masks = detections.pred_masks.float()
        self._add_track_fields(detections, detections.pred_boxes, images, (raw, features, sites), state)
        return detector_postprocess(detections, state.height, state.width)

    def describe(self, images: ImageList, instances: Instances, state: CompFeatState) -> Instances:
        """Given instances with what ``CompFeatTracker`` needs, see ``OnlineVISModel``."""
        described = Instances(instances.image_size, **instances.get_fields())
        boxes = boxes_in_network_pixels(instances, images, state)
        self._add_track_fields(described, boxes, images, self._frame(images, state), state)
        return described

    def _check_roles(self, clip: Clip) -> None:
        supports = clip.roles.count("support")
        if sorted(role for role in clip.roles if role != "support") != ["key", "reference"]:
            raise ValueError(f"CompFeat trains on one key, one reference and support frames per clip, not on "
                             f"{clip.roles}; use MODEL.VIS.MAPPER CompFeatMapper")
        if self.uses_supports and supports == 0:
            raise ValueError("the attention needs support frames and the clips have none; set "
                             "INPUT.VIDEO.NUM_SUPPORT_FRAMES to 1 or more (the paper trains with 2)")

    def _training_features(self, clip: Clip) -> tuple[RawFeatures, RawFeatures, Sites]:
        """Raw features of the B key and of the B reference frames, and what the key frames attend to."""
        apart = self.uses_supports and not self.support_grad
        together = [k for k, role in enumerate(clip.roles)
                    if role != "support" or (self.uses_supports and not apart)]
        frames = [b * clip.num_frames + k for b in range(clip.num_videos) for k in together]
        place = torch.full((clip.num_videos * clip.num_frames,), -1, device=self.device)
        place[frames] = torch.arange(len(frames), device=self.device)
        raw = RawFeatures.of(self.backbone, clip.images.tensor[frames])
        if self.frame_attention is None or self.placement == "fpn":
            _ = raw.pyramid  # of all frames at once; elsewhere the key frames' own is never needed
        sites: Sites = {}
        if self.uses_supports:
            rows = clip.rows("support")
            supports = self._constant_features(clip.images.tensor[rows]) if apart else raw.rows(place[rows])
            sites = self._project(supports, self._valid(images_of(clip, "support")))
            count = len(rows) // clip.num_videos
            sites = {name: tuple(x.unflatten(0, (-1, count)) for x in pair) for name, pair in sites.items()}
        return raw.rows(place[clip.rows("key")]), raw.rows(place[clip.rows("reference")]), sites

    @torch.no_grad()
    def _constant_features(self, images: Tensor) -> RawFeatures:
        raw = RawFeatures.of(self.backbone, images)
        objects = self.roi_heads.object_attention
        if self.placement == "fpn" or (objects is not None and objects.uses_supports):
            _ = raw.pyramid  # made here, without a graph
        return raw

    def _valid(self, images: ImageList) -> ValidCells | None:
        return ValidCells(images.image_sizes, tuple(images.tensor.shape[-2:])) if self.mask_padding else None

    def _project(self, raw: RawFeatures, valid: ValidCells | None) -> Sites:
        """Keys and values of frames for both levels."""
        sites: Sites = {}
        if self.frame_attention is not None and self.frame_attention.uses_supports:
            sites |= self.frame_attention.project(raw.stages if self.placement == "backbone" else raw.pyramid, valid)
        objects = self.roi_heads.object_attention
        if objects is not None and objects.uses_supports:
            sites |= objects.project(raw.pyramid, valid)
        return sites

    def _attend(self, raw: RawFeatures, sites: Sites, valid: ValidCells | None) -> dict[str, Tensor]:
        """FPN levels of current frames after the frame-level attention."""
        if self.frame_attention is None:
            return raw.pyramid
        if self.placement == "fpn":
            return self.frame_attention(raw.pyramid, sites, valid)
        return self.backbone.forward_features(self.frame_attention(raw.stages, sites, valid))

    def _frame(self, images: ImageList, state: CompFeatState) -> tuple[RawFeatures, dict[str, Tensor], Sites]:
        """Raw features, attended levels and supports of a video's next frame, which is kept as a later support."""
        raw, valid = RawFeatures.of(self.backbone, images.tensor), self._valid(images)
        sites: Sites = {}
        if state.supports is not None:
            own = cache(lambda: self._project(raw, valid))
            sites = state.supports.supports_of(state.num_frames, own, self._project_frame)
            features = self._attend(raw, sites, valid)
            state.supports.remember(state.num_frames, own)
            return raw, features, sites
        return raw, self._attend(raw, sites, valid), sites

    def _project_frame(self, frame: Tensor) -> Sites:
        images = self._preprocess_frame(frame)
        return self._project(RawFeatures.of(self.backbone, images.tensor), self._valid(images))

    def _add_track_fields(
        self,
        instances: Instances,
        boxes: Boxes,
        images: ImageList,
        frame: tuple[RawFeatures, dict[str, Tensor], Sites],
        state: CompFeatState,
    ) -> None:
        """Adds ``track_logits`` and ``memory_looks`` of boxes in network pixels."""
        raw, features, sites = frame
        looks = self.roi_heads.looks(features, [boxes], sites)
        attended = self.frame_attention is not None or self.roi_heads.object_attention is not None
        kept = self.roi_heads.looks(raw.pyramid, [boxes]) if attended and self.memory_feats == "raw" else looks
        memory = state.tracker.recall()
        instances.memory_looks = kept.float()
        if len(memory) == 0:
            instances.track_logits = looks.new_zeros(len(boxes), 1, dtype=torch.float32)
            return
        height, width = images.image_sizes[0]
        then = Boxes(memory.boxes.clone())
        then.scale(width / state.width, height / state.height)
        remembered = memory.embeddings.to(looks.dtype)
        scores = self.roi_heads.track_head.score([looks], [boxes], [remembered], [then], features)
        instances.track_logits = scores.tables[0]


def _frame_attention(node: CfgNode, backbone: SplitFPN) -> FrameAttention | None:
    if not node.ENABLED or not (node.TEMPORAL or node.SPATIAL):
        return None
    shapes = (backbone.bottom_up if node.PLACEMENT == "backbone" else backbone).output_shape()
    stages: Sequence[str] = node.STAGES
    unknown = [name for name in stages if name not in shapes]
    if unknown or not stages:
        raise ValueError(f"MODEL.COMPFEAT.FDA.STAGES is {tuple(stages)}; with PLACEMENT {node.PLACEMENT!r} choose from "
                         f"{tuple(shapes)}")
    return FrameAttention({name: shapes[name].channels for name in stages}, **DualAttention.options(node))
