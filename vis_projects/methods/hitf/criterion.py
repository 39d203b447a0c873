"""Matching and losses of a batch of clips.

Letters as in `losses.py`; B clips.
"""

from collections.abc import Sequence

import torch
from torch import Tensor

from vis_projects.methods.hitf.heads import SlotPredictions
from vis_projects.methods.hitf.losses import discrimination_loss, instance_losses, mask_id_loss, semantic_loss
from vis_projects.methods.hitf.matcher import match_slots, similarities
from vis_projects.methods.hitf.targets import FrameTargets

PQ_WEIGHTS = ("dynamic", "const")


class HITFCriterion:
    """Eq. 9: one assignment of slots for frames t and t - 1 together, losses of frame t, or of both."""

    def __init__(
        self,
        *,
        with_background: bool,
        lambda_inst: float = 0.75,
        pq_weight: float = 3.0,
        pq_weights: str = "dynamic",
        floor: float = 1e-5,
        mask_id: float = 0.3,
        discrimination: float = 1.0,
        temperature: float = 0.3,
        semantic: float = 1.0,
    ) -> None:
        """
        Args:
            with_background: whether mask logits end with the background's.
            lambda_inst: of eq. 9.
            pq_weight: factor on the instance losses.
            pq_weights: "dynamic" or "const" k_mask and k_cls.
            floor: least k_mask and k_cls.
            mask_id, discrimination, semantic: weights of the auxiliary losses, 0: off.
            temperature: of the instance discrimination.

        Raises:
            ValueError: another kind of weights.
        """
        if pq_weights not in PQ_WEIGHTS:
            raise ValueError(f"MODEL.HITF.PQ_WEIGHTS is {pq_weights!r}; choose from {PQ_WEIGHTS}")
        self.with_background, self.dynamic, self.floor = with_background, pq_weights == "dynamic", floor
        self.temperature = temperature
        positive, negative = pq_weight * lambda_inst, pq_weight * (1 - lambda_inst)
        self.weights = {"mask": positive, "cls": positive, "neg": negative, "mask_id": mask_id,
                        "inst_disc": discrimination, "sem": semantic}

    def match(self, frames: Sequence[SlotPredictions], targets: Sequence[Sequence[FrameTargets]]) -> list[Tensor]:
        """The slots of the objects of each clip, int64 (K,) each.

        Args:
            frames: predictions of t and, with pair-wise matching, t - 1, each of B clips.
            targets: B lists with one entry a frame at least.
        """
        slots = []
        for clip, of_frames in enumerate(targets):
            probs = [frame.class_logits[clip].softmax(dim=-1) for frame in frames]
            masks = [self._masks(frame.mask_logits[clip]) for frame in frames]
            slots.append(match_slots(similarities(probs, masks, of_frames[: len(frames)])))
        return slots

    def losses(
        self, frame: SlotPredictions, targets: Sequence[FrameTargets], slots: Sequence[Tensor], semantic: Tensor | None
    ) -> dict[str, Tensor]:
        """Weighted losses of one frame of each clip, the mean over clips.

        Args:
            frame: predictions.
            targets: B entries. slots: of `match`.
            semantic: (B, classes + 1, h, w) logits, None where that loss is off.

        Returns:
            `loss_mask`, `loss_cls`, `loss_neg`, and those of `loss_mask_id`, `loss_inst_disc`, `loss_sem` that are on.
        """
        per_clip = []
        for clip, (target, matched) in enumerate(zip(targets, slots, strict=True)):
            logits = frame.mask_logits[clip]
            losses = instance_losses(frame.class_logits[clip], self._masks(logits), target, matched,
                                     dynamic=self.dynamic, floor=self.floor)
            if self.weights["mask_id"] > 0:
                losses["mask_id"] = mask_id_loss(logits, target, matched, with_background=self.with_background)
            if self.weights["inst_disc"] > 0:
                losses["inst_disc"] = discrimination_loss(frame.embeddings[clip], target, self.temperature)
            if semantic is not None and self.weights["sem"] > 0:
                losses["sem"] = semantic_loss(semantic[clip], target)
            per_clip.append(losses)
        return {f"loss_{name}": self.weights[name] * torch.stack([losses[name] for losses in per_clip]).mean()
                for name in per_clip[0]}

    def _masks(self, logits: Tensor) -> Tensor:
        """(L, h, w) probabilities: the softmax over slots and, where there is one, the background (eq. 5)."""
        masks = logits.float().softmax(dim=0)
        return masks[:-1] if self.with_background else masks
