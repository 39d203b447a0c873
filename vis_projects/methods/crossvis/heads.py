"""The embedding branch on the detector's head, and the classifier over all identities of the training set."""

import math
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from vis_projects.modeling.fcos import FCOSHead
from vis_projects.modeling.fcos.head import PRIOR_PROBABILITY, init_conv, tower


class EmbeddingFCOSHead(FCOSHead):
    """`FCOSHead` with a third tower that gives every cell an embedding (CrossVIS section 3.3).

    Parameter names are those of the published CrossVIS checkpoints.
    """

    def __init__(self, *, in_channels: int, embedding_dim: int = 256, num_convs: int = 4, **kwargs: Any) -> None:
        """
        Args:
            in_channels, num_convs, kwargs: of `FCOSHead`.
            embedding_dim: D.
        """
        super().__init__(in_channels=in_channels, num_convs=num_convs, **kwargs)
        self.reid_tower = tower(in_channels, num_convs)
        self.reid_pred = nn.Conv2d(in_channels, embedding_dim, 1)
        init_conv(self.reid_pred)
        # one norm for all levels, with statistics of each level and frame of its own in training
        self.reid_pred_bn = nn.BatchNorm2d(embedding_dim)

    def embed(self, features: Sequence[Tensor]) -> list[Tensor]:
        """L maps (B, C, H, W) -> L maps (B, D, H, W).

        A level with one cell in all has no variance: there the running statistics stand in, also in training.
        """
        return [self._normalize(self.reid_pred(self.reid_tower(feature))) for feature in features]

    def _normalize(self, x: Tensor) -> Tensor:
        norm = self.reid_pred_bn
        if x.shape[0] * x.shape[2] * x.shape[3] > 1:
            return norm(x)
        return F.batch_norm(x, norm.running_mean, norm.running_var, norm.weight, norm.bias, False, 0.0, norm.eps)


class IdentityClassifier(nn.Linear):
    """One learnt vector for each identity of the training set; used in training alone.

    Its weight and bias are all that is saved, as `cls.weight` and `cls.bias` of the published checkpoints.
    """

    def __init__(self, embedding_dim: int, num_identities: int, *, normalize: bool = True) -> None:
        """
        Args:
            embedding_dim: D.
            num_identities: n, at least 1.
            normalize: bring embeddings to the length sqrt(2) * ln(n - 1) first, as the published code does; the paper
                multiplies them as they are.
        """
        super().__init__(embedding_dim, num_identities)
        self.normalize = normalize
        nn.init.normal_(self.weight, std=0.01)
        nn.init.constant_(self.bias, -math.log((1 - PRIOR_PROBABILITY) / PRIOR_PROBABILITY))

    @property
    def scale(self) -> float:
        """Length of the embeddings before the product; 1 for fewer than four identities: the logarithm is too small."""
        return math.sqrt(2) * math.log(self.out_features - 1) if self.out_features > 3 else 1.0

    def forward(self, embeddings: Tensor) -> Tensor:
        """Embeddings (P, D) -> logits (P, n)."""
        if self.normalize:
            embeddings = F.normalize(embeddings, dim=1) * self.scale
        return super().forward(embeddings)
