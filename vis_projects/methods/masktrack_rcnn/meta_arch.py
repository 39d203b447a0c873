"""MaskTrack R-CNN as a Detectron2 meta-architecture."""

from functools import partial
from typing import Any

from detectron2.config import CfgNode
from detectron2.modeling import META_ARCH_REGISTRY, detector_postprocess
from detectron2.structures import ImageList, Instances
from torch import Tensor

from vis_projects.modeling import VideoState
from vis_projects.modeling.track_rcnn import TrackRCNN, with_reference_pids
from vis_projects.modeling.track_rcnn.model import boxes_in_network_pixels, features_of, images_of
from vis_projects.structures.clip import Clip
from vis_projects.tracking import build_tracker


@META_ARCH_REGISTRY.register()
class MaskTrackRCNN(TrackRCNN):
    """Mask R-CNN with a track head, trained on pairs of frames, tracking with a memory.

    Training: the key frame of a pair gets all losses. The reference frame supplies the embeddings
    of its annotated boxes only; gradients flow through both frames.
    """

    @classmethod
    def from_config(cls, cfg: CfgNode) -> dict[str, Any]:
        ret = super().from_config(cfg)
        # A copy: what a caller changes in cfg later must not reach videos that start later.
        ret["tracker_factory"] = partial(build_tracker, cfg.clone())
        return ret

    def losses(self, clip: Clip) -> dict[str, Tensor]:
        """Losses of B pairs: those of RPN, box, mask and track branch.

        Args:
            clip: each clip with one frame of role "key" and one of role "reference", both with
                ``gt_boxes`` and ``gt_ids``; the key frame also with ``gt_classes``, ``gt_masks``.
        """
        if sorted(clip.roles) != ["key", "reference"]:
            raise ValueError(
                f"MaskTrackRCNN trains on one key and one reference frame per clip, not on "
                f"{clip.roles}; use MODEL.VIS.MAPPER MaskTrackRCNNMapper"
            )
        features = self.backbone(clip.images.tensor)
        key_features, images = features_of(features, clip.rows("key")), images_of(clip, "key")
        references = clip.instances_of("reference")
        targets = [
            with_reference_pids(key, reference)
            for key, reference in zip(clip.instances_of("key"), references, strict=True)
        ]
        proposals, losses = self.proposal_generator(images, key_features, targets)
        reference_embeddings = self.roi_heads.embed(
            features_of(features, clip.rows("reference")),
            [reference.gt_boxes for reference in references],
        ).split([len(reference) for reference in references])
        _, roi_losses = self.roi_heads(
            images, key_features, proposals, targets, list(reference_embeddings)
        )
        return {**losses, **roi_losses}

    def detect(self, images: ImageList, state: VideoState) -> Instances:
        """Detections of one frame with ``track_embeddings`` (n, D), see ``OnlineVISModel``."""
        features = self.backbone(images.tensor)
        proposals, _ = self.proposal_generator(images, features, None)
        (detections,), _ = self.roi_heads(images, features, proposals, None)
        detections.pred_masks = detections.pred_masks.float()
        detections.track_embeddings = detections.track_embeddings.float()
        return detector_postprocess(detections, state.height, state.width)

    def describe(self, images: ImageList, instances: Instances, state: VideoState) -> Instances:
        """Given instances with ``track_embeddings`` (n, D) of their boxes, see ``OnlineVISModel``."""
        boxes = boxes_in_network_pixels(instances, images, state)
        described = Instances(instances.image_size, **instances.get_fields())
        described.track_embeddings = self.roi_heads.embed(self.backbone(images.tensor), [boxes]).float()
        return described
