"""From fused code and features to classes and masks (section Decoder and eq. 5 of the paper).

Letters: B frames, L slots, D width of the code, E width of the pixel embeddings, h x w their map at stride 4.
"""

import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from vis_projects.methods.hitf.attention import token_norm
from vis_projects.modeling.deeplab import DeepLabV3PlusDecoder

LOGIT_NORMS, BG_SLOTS = ("bn", "scale"), ("filter", "none")
EMPTY_PRIOR = 0.9  # probability of the empty class at the start
EPSILON = 1e-6


@dataclass
class SlotPredictions:
    """What the network says of B frames.

    Attributes:
        class_logits: (B, L, classes + 1), the last one is the empty class.
        mask_logits: (B, L or L + 1, h, w); the softmax over axis 1 gives each pixel to a slot or, as the last entry
            where there is one, to the background.
        embeddings: (B, E, h, w) of length 1.
    """

    class_logits: Tensor
    mask_logits: Tensor
    embeddings: Tensor


class SlotHead(nn.Module):
    """DeepLabV3+ decoder, class head and dynamic filters."""

    def __init__(
        self,
        decoder: DeepLabV3PlusDecoder,
        *,
        decoder_channels: int,
        num_classes: int,
        code_dim: int = 256,
        mask_dim: int = 128,
        norm: str = "ln",
        logit_norm: str = "bn",
        background: str = "filter",
    ) -> None:
        """
        Args:
            decoder: of features and res2.
            decoder_channels: of its output.
            num_classes: without the empty class.
            code_dim, mask_dim: D, E.
            norm: of the filters, see `token_norm`.
            logit_norm: "bn" (batch norm of one channel over all mask logits) or "scale" (one learned factor).
            background: "filter" (a learned filter beside those of the slots) or "none" (eq. 5 as printed).

        Raises:
            ValueError: an unknown name.
        """
        super().__init__()
        for key, value, known in (("LOGIT_NORM", logit_norm, LOGIT_NORMS), ("BG_SLOT", background, BG_SLOTS)):
            if value not in known:
                raise ValueError(f"MODEL.HITF.{key} is {value!r}; choose from {known}")
        self.decoder = decoder
        self.embed = nn.Conv2d(decoder_channels, mask_dim, 1)
        self.classify = nn.Sequential(nn.Linear(code_dim, code_dim), nn.ReLU(), nn.Linear(code_dim, num_classes + 1))
        nn.init.normal_(self.classify[2].weight, std=0.01)
        nn.init.zeros_(self.classify[2].bias)
        nn.init.constant_(self.classify[2].bias[-1:], math.log(num_classes * EMPTY_PRIOR / (1 - EMPTY_PRIOR)))
        self.filters = nn.Sequential(nn.Linear(code_dim, code_dim), nn.ReLU(), nn.Linear(code_dim, mask_dim))
        self.norm = token_norm(norm, mask_dim)
        if background == "filter":
            self.background = nn.Parameter(nn.init.trunc_normal_(torch.empty(mask_dim)))
        else:
            self.background = None
        if logit_norm == "bn":
            self.logit_norm = nn.BatchNorm2d(1)
            nn.init.constant_(self.logit_norm.weight, 0.1)
        else:
            self.logit_norm = LogitScale()

    def forward(self, features: Tensor, code: Tensor, low_level: Tensor) -> SlotPredictions:
        """
        Args:
            features: (B, C, H, W) fused. code: (B, L, D) fused. low_level: res2, (B, C', h, w).
        """
        embeddings = self.embed(self.decoder(features, [low_level])).float()
        embeddings = F.normalize(embeddings, dim=1, eps=EPSILON)
        filters = self.norm(self.filters(code))
        if self.background is not None:
            filters = torch.cat([filters, self.background.expand(len(filters), 1, -1)], dim=1)
        batch, _, height, width = embeddings.shape
        logits = filters.float() @ embeddings.flatten(2)
        # one batch norm over slots and background alike: a shift of the background alone would matter
        logits = self.logit_norm(logits.view(batch, 1, -1, height * width))
        return SlotPredictions(self.classify(code).float(), logits.view(batch, -1, height, width), embeddings)


class LogitScale(nn.Module):
    """One learned factor."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(1))

    def forward(self, x: Tensor) -> Tensor:
        return x * self.weight
