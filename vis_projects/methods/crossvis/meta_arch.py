"""CondInst-VIS and CrossVIS as Detectron2 meta-architectures."""

from functools import partial
from typing import Any

import torch
from detectron2.config import CfgNode, configurable
from detectron2.modeling import META_ARCH_REGISTRY
from detectron2.structures import ImageList, Instances
from torch import Tensor, nn

from vis_projects.methods.crossvis.heads import EmbeddingFCOSHead, IdentityClassifier
from vis_projects.methods.crossvis.losses import (
    CROSS_LOCATIONS,
    EmbeddedPositives,
    crossover_loss,
    global_embedding_loss,
    pairwise_embedding_loss,
    partner_index,
)
from vis_projects.modeling.condinst import CondInstNetwork, FrameHeads, FramePositives, condinst_parts
from vis_projects.modeling.fcos.decode import gather_rows
from vis_projects.modeling.fcos.targets import answering_rows, mask_centers
from vis_projects.modeling.online_model import OnlineVISModel, VideoState
from vis_projects.structures.clip import Clip
from vis_projects.tracking import build_tracker

ROLES = ("key", "reference")
EMBEDDINGS, EMBEDDING_LOSSES = ("global", "pairwise"), ("focal", "ce")


@META_ARCH_REGISTRY.register()
class CondInstVIS(CondInstNetwork, OnlineVISModel):
    """CondInst with an embedding branch, trained on pairs of frames; the paper's baseline with pair-wise embeddings.

    Both frames of a pair are fully supervised; their detection and mask losses are averaged.
    """

    @configurable
    def __init__(
        self, *, classifier: IdentityClassifier | None, embedding: str, embedding_loss: str, embedding_weight: float,
        **kwargs: Any,
    ) -> None:
        """
        Args:
            classifier: of all identities, None for pair-wise embeddings or where nothing is trained.
            embedding: "global" or "pairwise".
            embedding_loss: "focal" or "ce".
            embedding_weight: of that loss.
            kwargs: of `CondInstNetwork` and `OnlineVISModel`; the detector's head is an `EmbeddingFCOSHead`.
        """
        super().__init__(**kwargs)
        switches = (("EMBEDDING", embedding, EMBEDDINGS), ("EMBEDDING_LOSS", embedding_loss, EMBEDDING_LOSSES))
        for key, value, known in switches:
            if value not in known:
                raise ValueError(f"MODEL.CROSSVIS.{key} is {value!r}; choose from {known}")
        self.embedding, self.embedding_loss, self.embedding_weight = embedding, embedding_loss, embedding_weight
        if classifier is not None:
            self.cls = classifier  # the name in published checkpoints

    @classmethod
    def from_config(cls, cfg: CfgNode) -> dict[str, Any]:
        ret = super().from_config(cfg)
        node = cfg.MODEL.CROSSVIS
        ret |= condinst_parts(cfg, ret["backbone"], EmbeddingFCOSHead, embedding_dim=node.EMBEDDING_DIM)
        ret["gradient_scale"] = node.BACKBONE_GRAD_SCALE
        identities = cfg.MODEL.VIS.NUM_IDENTITIES
        ret["classifier"] = None
        if node.EMBEDDING == "global" and identities > 0:
            ret["classifier"] = IdentityClassifier(node.EMBEDDING_DIM, identities, normalize=node.EMBEDDING_NORMALIZE)
        ret |= {"embedding": node.EMBEDDING, "embedding_loss": node.EMBEDDING_LOSS,
                "embedding_weight": node.EMBEDDING_WEIGHT}
        # A copy: what a caller changes in cfg later must not reach videos that start later.
        ret["tracker_factory"] = partial(build_tracker, cfg.clone())
        return ret

    def losses(self, clip: Clip) -> dict[str, Tensor]:
        """Losses of B pairs.

        Args:
            clip: each clip with one frame of role "key" and one of role "reference", both with `gt_boxes`,
                `gt_classes`, `gt_masks`, `gt_ids` and, for global embeddings, `gt_identities`.

        Returns:
            `loss_fcos_cls`, `loss_fcos_loc`, `loss_fcos_ctr`, `loss_mask`, `loss_embedding`.
        """
        if sorted(clip.roles) != sorted(ROLES):
            raise ValueError(
                f"{type(self).__name__} trains on one key and one reference frame per clip, not on {clip.roles}; use "
                "MODEL.VIS.MAPPER CrossVISMapper"
            )
        instances = [clip.instances_of(role) for role in ROLES]
        padded_size = tuple(clip.images.tensor.shape[-2:])
        heads, losses, positives, embedded = [], [], [], []
        # one frame of the pairs after the other: batch norm sees each frame on its own
        for role, objects in zip(ROLES, instances):
            heads.append(self.run_heads(clip.images.tensor[clip.rows(role)]))
            frame_losses, frame_positives = self.frame_losses(heads[-1], objects, padded_size)
            losses.append(frame_losses)
            positives.append(frame_positives)
            embedded.append(self._embedded(heads[-1], frame_positives, objects))
        total = {name: sum(frame[name] for frame in losses) / len(losses) for name in losses[0]}
        partners = [partner_index(instances[k], instances[1 - k]) for k in (0, 1)]
        total["loss_embedding"] = self.embedding_weight * self._embedding_loss(embedded, partners)
        return {**total, **self.pair_losses(heads, positives, partners)}

    def pair_losses(
        self, heads: list[FrameHeads], positives: list[FramePositives], partners: list[Tensor]
    ) -> dict[str, Tensor]:
        """Losses that a subclass adds.

        Args:
            heads, positives: of the key and of the reference frames.
            partners: of `partner_index`, key to reference and reference to key.
        """
        return {}

    def detect(self, images: ImageList, state: VideoState) -> Instances:
        """Detections of one frame with ``track_embeddings`` (n, D), see ``OnlineVISModel``."""
        heads = self.run_heads(images.tensor)
        (found,) = self.detect_in(heads, images, [(state.height, state.width)])
        found.track_embeddings = gather_rows(self._embeddings(heads), found.rows).float()
        found.remove("rows")
        return found

    def describe(self, images: ImageList, instances: Instances, state: VideoState) -> Instances:
        """Given instances with ``track_embeddings`` (n, D) of the cell answering for each, see ``OnlineVISModel``."""
        heads = self.run_heads(images.tensor)
        height, width = images.image_sizes[0]
        boxes = instances.pred_boxes.clone()
        boxes.scale(width / state.width, height / state.height)
        scale = boxes.tensor.new_tensor((width / state.width, height / state.height))
        rows = answering_rows(
            [level.shape[2:] for level in heads.features], self.proposal_generator.strides,
            self.proposal_generator.level_ranges, boxes.tensor, mask_centers(instances.pred_masks) * scale,
        )
        described = Instances(instances.image_size, **instances.get_fields())
        described.track_embeddings = gather_rows(self._embeddings(heads), rows).float()
        return described

    def _embeddings(self, heads: FrameHeads) -> list[Tensor]:
        return self.proposal_generator.fcos_head.embed(heads.features)

    def _embedded(self, heads: FrameHeads, positives: FramePositives, objects: list[Instances]) -> EmbeddedPositives:
        identities = torch.cat([image.gt_identities for image in objects])
        return EmbeddedPositives(
            embeddings=gather_rows(self._embeddings(heads), positives.rows), gt_index=positives.gt_index,
            identities=identities[positives.gt_index], clip_index=positives.queries.image_index,
        )

    def _embedding_loss(self, frames: list[EmbeddedPositives], partners: list[Tensor]) -> Tensor:
        focal = self.embedding_loss == "focal"
        if self.embedding == "pairwise":
            return sum(pairwise_embedding_loss(frames[k], frames[1 - k], partners[k], focal=focal) for k in (0, 1)) / 2
        return global_embedding_loss(frames, self._classifier(), focal=focal)

    def _classifier(self) -> nn.Module:
        if not hasattr(self, "cls"):
            raise ValueError("MODEL.VIS.NUM_IDENTITIES is 0: global embeddings need the number of annotated objects of "
                             "the training sets; train_net.py takes it from them")
        return self.cls


@META_ARCH_REGISTRY.register()
class CrossVIS(CondInstVIS):
    """CondInst-VIS with crossover learning: each frame's filters have to segment the other frame too.

    Crossover is a loss alone: at test time a CrossVIS and a CondInst-VIS of one config do the same.
    """

    @configurable
    def __init__(self, *, cross_weight: float, cross_location: str = "random", **kwargs: Any) -> None:
        """
        Args:
            cross_weight: of the crossover loss; 0: off.
            cross_location: `how` of `partner_pairs`.
            kwargs: of `CondInstVIS`.
        """
        super().__init__(**kwargs)
        if cross_location not in CROSS_LOCATIONS:
            raise ValueError(f"MODEL.CROSSVIS.CROSS_LOC is {cross_location!r}; choose from {CROSS_LOCATIONS}")
        self.cross_weight, self.cross_location = cross_weight, cross_location

    @classmethod
    def from_config(cls, cfg: CfgNode) -> dict[str, Any]:
        node = cfg.MODEL.CROSSVIS
        return {**super().from_config(cfg), "cross_weight": node.CROSS_WEIGHT, "cross_location": node.CROSS_LOC}

    def pair_losses(
        self, heads: list[FrameHeads], positives: list[FramePositives], partners: list[Tensor]
    ) -> dict[str, Tensor]:
        """`loss_cross`, the mean of both directions (eqs. 6 to 8 and 16)."""
        if self.cross_weight == 0:
            return {}
        both = sum(
            crossover_loss(positives[k], positives[1 - k], partners[k], heads[1 - k].mask_features, self.mask_loss,
                           location=self.cross_location, most=self.max_proposals)
            for k in (0, 1)
        )
        return {"loss_cross": self.cross_weight * both / 2}
