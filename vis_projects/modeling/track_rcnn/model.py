"""A meta-architecture of two stages: proposals, then ROI heads with a track branch."""

from collections.abc import Sequence
from typing import Any

from detectron2.config import CfgNode, configurable
from detectron2.modeling import build_proposal_generator, build_roi_heads
from detectron2.structures import Boxes, ImageList, Instances
from torch import Tensor, nn

from vis_projects.modeling.online_model import OnlineVISModel, VideoState
from vis_projects.structures.clip import Clip


class TrackRCNN(OnlineVISModel):
    """Backbone, proposal generator and ROI heads, trained on clips with a key and a reference frame."""

    @configurable
    def __init__(self, *, proposal_generator: nn.Module, roi_heads: nn.Module, **kwargs: Any) -> None:
        """
        Args:
            proposal_generator: region proposals from features.
            roi_heads: a ``TrackROIHeads``.
            kwargs: of ``OnlineVISModel``.
        """
        super().__init__(**kwargs)
        self.proposal_generator = proposal_generator
        self.roi_heads = roi_heads

    @classmethod
    def from_config(cls, cfg: CfgNode) -> dict[str, Any]:
        ret = super().from_config(cfg)
        shapes = ret["backbone"].output_shape()
        ret["proposal_generator"] = build_proposal_generator(cfg, shapes)
        ret["roi_heads"] = build_roi_heads(cfg, shapes)
        return ret


def images_of(clip: Clip, role: str) -> ImageList:
    """The frames of one role as an image list of their own."""
    rows = clip.rows(role)
    return ImageList(clip.images.tensor[rows], [clip.images.image_sizes[k] for k in rows.tolist()])


def features_of(features: dict[str, Tensor], rows: Tensor | Sequence[int]) -> dict[str, Tensor]:
    """The given rows of every feature map."""
    return {name: value[rows] for name, value in features.items()}


def boxes_in_network_pixels(instances: Instances, images: ImageList, state: VideoState) -> Boxes:
    """``pred_boxes`` at output size as boxes in the pixels of the one image that the network sees."""
    height, width = images.image_sizes[0]
    boxes = instances.pred_boxes.clone()
    boxes.scale(width / state.width, height / state.height)
    return boxes
