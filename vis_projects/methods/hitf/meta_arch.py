"""HITF as a Detectron2 meta-architecture.

Letters: B clips, T frames of a clip, L slots, R reference frames, M alternate layers, S tokens of a frame.
"""

from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
from detectron2.config import CfgNode, configurable
from detectron2.modeling import META_ARCH_REGISTRY
from detectron2.structures import ImageList, Instances
from torch import Tensor

from vis_projects.methods.hitf.build import hitf_parts
from vis_projects.methods.hitf.criterion import HITFCriterion
from vis_projects.methods.hitf.frame_network import FrameNetwork
from vis_projects.methods.hitf.fusion import TemporalFusion
from vis_projects.methods.hitf.heads import SlotHead, SlotPredictions
from vis_projects.methods.hitf.inference import MASK_RULES, given_slots, slot_instances
from vis_projects.methods.hitf.references import ReferenceRing
from vis_projects.methods.hitf.semantic_head import SemanticHead
from vis_projects.methods.hitf.targets import FrameTargets, pair_targets
from vis_projects.modeling import OnlineVISModel, VideoState
from vis_projects.structures.clip import Clip
from vis_projects.tracking import build_tracker

LOSS_FRAMES = ("t", "both")


@dataclass
class HITFState(VideoState):
    """A video's tracker, and keys and values of its last frames.

    Attributes:
        ring: of the references.
    """

    ring: ReferenceRing | None = None


@META_ARCH_REGISTRY.register()
class HITF(OnlineVISModel):
    """Slots with an identity, fused with the frames before by attention between codes and pixels.

    Each frame is encoded alone; what later frames read of it is taken before fusion, so nothing recurs and a frame's
    prediction depends on itself and the R frames before it alone.
    """

    @configurable
    def __init__(
        self,
        *,
        fusion: TemporalFusion,
        head: SlotHead,
        semantic_head: SemanticHead | None,
        criterion: HITFCriterion,
        num_classes: int,
        pair_matching: bool = True,
        loss_frames: str = "t",
        reference_gradients: bool = True,
        reference_padding: str = "repeat",
        mask_rule: str = "argmax",
        mask_score: bool = False,
        **kwargs: Any,
    ) -> None:
        """
        Args:
            fusion, head: of fused frames.
            semantic_head: of the auxiliary loss, None without it.
            criterion: matching and losses.
            num_classes: without the empty class.
            pair_matching: match on frames t and t - 1 together.
            loss_frames: "t", or "both" of the pair.
            reference_gradients: gradients flow into the reference frames.
            reference_padding: of `ReferenceRing`, in training too.
            mask_rule, mask_score: of `slot_instances`.
            kwargs: of `OnlineVISModel`; the backbone is a `HybridEncoder`.

        Raises:
            ValueError: an unknown name, or names that do not fit together.
        """
        super().__init__(**kwargs)
        for key, value, known in (("LOSS_FRAMES", loss_frames, LOSS_FRAMES), ("TEST.MASK_RULE", mask_rule, MASK_RULES)):
            if value not in known:
                raise ValueError(f"MODEL.HITF.{key} is {value!r}; choose from {known}")
        if loss_frames == "both" and not pair_matching:
            raise ValueError(
                "MODEL.HITF.LOSS_FRAMES 'both' needs MODEL.HITF.PM, without which a clip has no frame t - 1"
            )
        self.fusion, self.head, self.semantic_head, self.criterion = fusion, head, semantic_head, criterion
        self.num_classes, self.pair_matching, self.loss_frames = num_classes, pair_matching, loss_frames
        self.reference_gradients, self.mask_rule, self.mask_score = reference_gradients, mask_rule, mask_score
        self.ring_factory = partial(ReferenceRing, fusion.num_references, reference_padding)
        self.ring_factory()  # a wrong name stops here
        self.reference_padding = reference_padding

    @classmethod
    def from_config(cls, cfg: CfgNode) -> dict[str, Any]:
        ret = super().from_config(cfg)
        ret |= hitf_parts(cfg, ret["backbone"])
        # A copy: what a caller changes in cfg later must not reach videos that start later.
        ret["tracker_factory"] = partial(build_tracker, cfg.clone())
        return ret

    # training

    def losses(self, clip: Clip) -> dict[str, Tensor]:
        """Losses of B clips of R + 1 frames, or R + 2 with pair-wise matching.

        Args:
            clip: frames in the order of time with roles "reference" ..., "previous" with pair-wise matching, "key"; the
                last two with `gt_classes`, `gt_masks`, `gt_ids`.
        """
        self._check_roles(clip)
        images, length = clip.images.tensor, clip.num_frames
        padded = self.backbone.padded_size(images.shape[-2:])
        valid = self.backbone.valid_cells(clip.images.image_sizes, padded)
        encoded = self._encode_clips(images, valid, length)
        references = self.fusion.project(encoded["res5"], encoded["code"])
        positions = [length - 1, length - 2][: 1 + self.pair_matching]
        frames = []
        for index, position in enumerate(positions):
            with torch.set_grad_enabled(torch.is_grad_enabled() and (index == 0 or self.loss_frames == "both")):
                frames.append(self._predict_position(clip, encoded, references, valid, position))
        size = tuple(frames[0].mask_logits.shape[-2:])
        targets = [self._targets(clip, b, positions, size) for b in range(clip.num_videos)]
        slots = self.criterion.match(frames, targets)
        with_loss = len(frames) if self.loss_frames == "both" else 1
        losses = []
        for index in range(with_loss):
            rows = _rows(clip, positions[index])
            semantic = None
            if self.semantic_head is not None:
                semantic = self.semantic_head({name: encoded[name][rows] for name in ("res2", "res3", "res5")}, size)
            of_frame = [of_clip[index] for of_clip in targets]
            losses.append(self.criterion.losses(frames[index], of_frame, slots, semantic))
        return {name: sum(of_frame[name] for of_frame in losses) / with_loss for name in losses[0]}

    def _check_roles(self, clip: Clip) -> None:
        count = self.fusion.num_references
        wanted = ["reference"] * count + (["previous"] if self.pair_matching else []) + ["key"]
        if clip.roles != wanted:
            raise ValueError(
                f"HITF with MODEL.HITF.N_REF {count} and PM {self.pair_matching} trains on clips of frames {wanted}, "
                f"not on {clip.roles}; use MODEL.VIS.MAPPER HITFMapper"
            )

    def _encode_clips(self, images: Tensor, valid: Tensor | None, length: int) -> dict[str, Tensor]:
        """Encodes all frames, without gradients those whose gradient nobody wants."""
        first = 0  # the oldest frame is read by t - 1 alone
        if not self.reference_gradients:
            first = length - (2 if self.loss_frames == "both" else 1)
        elif self.pair_matching and self.loss_frames == "t":
            first = 1
        rows = torch.arange(len(images), device=images.device)
        wanted = rows % length >= first
        parts = []
        for chosen, with_gradient in ((rows[wanted], True), (rows[~wanted], False)):
            if len(chosen):
                with torch.set_grad_enabled(with_gradient and torch.is_grad_enabled()):
                    parts.append(self.backbone(images[chosen], None if valid is None else valid[chosen]))
        order = torch.cat([rows[wanted], rows[~wanted]]).argsort()
        return {name: torch.cat([part[name] for part in parts])[order] for name in parts[0]}

    def _predict_position(
        self, clip: Clip, encoded: dict[str, Tensor], references: tuple[Tensor, Tensor], valid: Tensor | None,
        position: int,
    ) -> SlotPredictions:
        """Predictions of frame `position` of each clip from the R frames before it."""
        count = self.fusion.num_references
        rows = _rows(clip, position)
        back = torch.arange(1, count + 1, device=rows.device)
        before = rows[:, None] - back[None, :]
        present = None
        if self.reference_padding == "mask":
            # the sampler repeats the first frame; here such repeats do not count
            key = torch.tensor([frames[-1] for frames in clip.frame_indices], device=rows.device)
            frame = key - (clip.num_frames - 1 - position)
            present = frame[:, None] - back[None, :] >= 0
        return self._fuse_and_predict(
            {name: value[rows] for name, value in encoded.items()}, tuple(kept[before] for kept in references),
            present, None if valid is None else valid[rows],
        )

    def _fuse_and_predict(
        self, encoded: dict[str, Tensor], references: tuple[Tensor, Tensor], present: Tensor | None,
        valid: Tensor | None,
    ) -> SlotPredictions:
        features, code = self.fusion(encoded["res5"], encoded["code"], references, present=present, valid=valid)
        return self.head(features, code, encoded["res2"])

    def _targets(self, clip: Clip, index: int, positions: list[int], size: tuple[int, int]) -> list[FrameTargets]:
        row = index * clip.num_frames + positions[0]
        return pair_targets(
            [clip.instances[index][position] for position in positions], clip.images.image_sizes[row], size,
            num_classes=self.num_classes, max_objects=self.fusion.num_slots,
        )

    # inference

    def init_state(self, video: dict[str, Any]) -> HITFState:
        """See ``OnlineVISModel.init_state``."""
        return HITFState(**vars(super().init_state(video)), ring=self.ring_factory())

    def predict(self, images: ImageList, state: HITFState) -> SlotPredictions:
        """The network on the next frame; the frame enters the video's ring."""
        padded = self.backbone.padded_size(images.tensor.shape[-2:])
        valid = self.backbone.valid_cells(images.image_sizes, padded)
        encoded = self.backbone(images.tensor, valid)
        own = self.fusion.project(encoded["res5"], encoded["code"])
        predictions = self._fuse_and_predict(encoded, state.ring.references(own), None, valid)
        state.ring.push(own)
        return predictions

    def detect(self, images: ImageList, state: HITFState) -> Instances:
        """Instances of the slots that are not empty, with ``slots`` (n,), see ``OnlineVISModel``."""
        return slot_instances(
            self.predict(images, state), images.image_sizes[0], (state.height, state.width), rule=self.mask_rule,
            mask_score=self.mask_score,
        )

    def describe(self, images: ImageList, instances: Instances, state: HITFState) -> Instances:
        """Given instances with the ``slots`` (n,) that fit them best, -1 for those beyond the number of slots."""
        predictions = self.predict(images, state)
        described = Instances(instances.image_size, **instances.get_fields())
        described.slots = given_slots(predictions, instances, images.image_sizes[0])
        return described

    def frame_network(self) -> FrameNetwork:
        """The network of one frame as a module of tensors alone, for `torch.export`; it shares this model's weights."""
        return FrameNetwork(self.backbone, self.fusion, self.head)


def _rows(clip: Clip, position: int) -> Tensor:
    """int64 (B,): rows of this frame of each clip."""
    rows = torch.arange(clip.num_videos, device=clip.images.tensor.device)
    return rows * clip.num_frames + position
