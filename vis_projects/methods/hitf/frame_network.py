"""The network of one frame as a module of tensors alone, for `torch.export`.

Letters: R reference frames, M alternate layers, S tokens of a frame, L slots, h x w the map of mask logits.
"""

from torch import Tensor, nn

from vis_projects.methods.hitf.fusion import TemporalFusion
from vis_projects.methods.hitf.heads import SlotHead


class FrameNetwork(nn.Module):
    """Image and references -> predictions, and what later frames read of this one."""

    def __init__(self, backbone: nn.Module, fusion: TemporalFusion, head: SlotHead) -> None:
        super().__init__()
        self.backbone, self.fusion, self.head = backbone, fusion, head

    def forward(self, image: Tensor, keys: Tensor, values: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """
        Args:
            image: (1, 3, H, W) normalised.
            keys, values: (1, R, M, S, K), (1, R, M, S, V) of the frames before, the nearest first; R may be 0.

        Returns:
            class logits (1, L, classes + 1), mask logits (1, L or L + 1, h, w), and keys (1, M, S, K), values
            (1, M, S, V) of this frame.
        """
        encoded = self.backbone(image)
        own = self.fusion.project(encoded["res5"], encoded["code"])
        features, code = self.fusion(encoded["res5"], encoded["code"], (keys, values))
        predictions = self.head(features, code, encoded["res2"])
        return predictions.class_logits, predictions.mask_logits, *own
