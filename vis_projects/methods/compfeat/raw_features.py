"""Features of frames before any attention; their pyramid is made when it is asked for."""

from functools import cached_property

from torch import Tensor

from vis_projects.methods.compfeat.split_fpn import SplitFPN
from vis_projects.modeling.track_rcnn.model import features_of


class RawFeatures:
    """Maps of the ResNet of N frames.

    Attributes:
        stages: "res<k>" to (N, C, H, W).
    """

    def __init__(self, backbone: SplitFPN, stages: dict[str, Tensor]) -> None:
        """
        Args:
            backbone: makes the pyramid.
            stages: of its ``bottom_up``.
        """
        self._backbone = backbone
        self.stages = stages

    @classmethod
    def of(cls, backbone: SplitFPN, images: Tensor) -> "RawFeatures":
        """Of images (N, 3, H, W)."""
        return cls(backbone, backbone.bottom_up(images))

    @cached_property
    def pyramid(self) -> dict[str, Tensor]:
        """"p<k>" to (N, C, H, W)."""
        return self._backbone.forward_features(self.stages)

    def rows(self, rows: Tensor) -> "RawFeatures":
        """Of some of the frames; a pyramid that is there already is not made again."""
        chosen = RawFeatures(self._backbone, features_of(self.stages, rows))
        if "pyramid" in self.__dict__:
            chosen.pyramid = features_of(self.pyramid, rows)
        return chosen
