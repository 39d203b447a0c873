"""The head of the auxiliary semantic loss; it is there for training alone.

Letters: B frames, C channels, h x w the map of mask logits.
"""

from torch import Tensor, nn
from torch.nn import functional as F

from vis_projects.modeling.deeplab import DeepLabV3PlusDecoder

SEMANTIC_HEADS = ("light", "deeplab")


class SemanticHead(nn.Module):
    """Classes of pixels from the encoder's features."""

    def __init__(
        self, channels: dict[str, int], num_classes: int, *, kind: str = "light", width: int = 256,
        rates: tuple[int, ...] = (6, 12, 18), norm: str = "BN",
    ) -> None:
        """
        Args:
            channels: of res2, res3, res5.
            num_classes: without background, which is the last class here.
            kind: "light": two convolutions on res5; "deeplab": a decoder of its own over res5, res3, res2.
            width, rates, norm: of the decoder.

        Raises:
            ValueError: another kind.
        """
        super().__init__()
        if kind not in SEMANTIC_HEADS:
            raise ValueError(f"MODEL.HITF.AUX.SEM_TYPE is {kind!r}; choose from {SEMANTIC_HEADS}")
        self.decoder = None
        if kind == "light":
            self.reduce = nn.Conv2d(channels["res5"], width, 3, padding=1)
        else:
            low = [(channels["res3"], 64), (channels["res2"], 32)]
            self.decoder = DeepLabV3PlusDecoder(channels["res5"], low, channels=width, rates=rates, norm=norm)
        self.classify = nn.Conv2d(width, num_classes + 1, 1)

    def forward(self, encoded: dict[str, Tensor], size: tuple[int, int]) -> Tensor:
        """
        Args:
            encoded: of `HybridEncoder`.
            size: (h, w) of the result.

        Returns:
            logits (B, classes + 1, h, w), the last one is background.
        """
        if self.decoder is None:
            x = F.relu(self.reduce(encoded["res5"]))
        else:
            x = self.decoder(encoded["res5"], [encoded["res3"], encoded["res2"]])
        return F.interpolate(self.classify(x).float(), size=size, mode="bilinear", align_corners=True)
