"""`DynamicMaskHead`: mask logits of instances from the filters that the controller made for each of them."""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from vis_projects.layers import aligned_bilinear, dynamic_mask_head


@dataclass
class MaskQueries:
    """P instances whose masks are asked for.

    Attributes:
        params: (P, 169) filters, the controller's output at the location that stands for the instance.
        locations: float (P, 2), (x, y) in pixels of the padded image around which coordinates are relative.
        levels: int64 (P,), pyramid level of the location, which decides the unit of the coordinates.
        image_index: int64 (P,), image whose features are read.
    """

    params: Tensor
    locations: Tensor
    levels: Tensor
    image_index: Tensor

    def __len__(self) -> int:
        return len(self.params)

    def __getitem__(self, rows: Tensor) -> "MaskQueries":
        return MaskQueries(self.params[rows], self.locations[rows], self.levels[rows], self.image_index[rows])


class DynamicMaskHead(nn.Module):
    """Runs the three-layer network of each instance (CondInst section 3.2) and brings the logits to the output stride.

    It has no weights. Its two buffers are those of AdelaiDet's head, so that checkpoints load without a missing key.
    """

    def __init__(
        self, *, feature_stride: int = 8, out_stride: int = 4,
        sizes_of_interest: tuple[float, ...] = (64, 128, 256, 512, 1024),
    ) -> None:
        """
        Args:
            feature_stride: of the mask features in pixels.
            out_stride: of the logits in pixels; divides `feature_stride`.
            sizes_of_interest: for each level the pixels that are one unit of the relative coordinates.
        """
        super().__init__()
        if feature_stride % out_stride:
            raise ValueError(
                f"MASK_OUT_STRIDE is {out_stride}; it must divide the stride {feature_stride} of the features"
            )
        self.feature_stride = feature_stride
        self.out_stride = out_stride
        self.register_buffer("sizes_of_interest", torch.tensor(sizes_of_interest, dtype=torch.float32))
        self.register_buffer("_iter", torch.zeros(1))

    def forward(self, mask_features: Tensor, queries: MaskQueries) -> Tensor:
        """
        Args:
            mask_features: (B, C, H, W) of the mask branch.
            queries: P instances.

        Returns:
            logits (P, H * s, W * s) at the output stride, s = feature_stride / out_stride.
        """
        logits = dynamic_mask_head(
            mask_features, queries.params, queries.locations.to(mask_features), self.sizes_of_interest[queries.levels],
            self.feature_stride, queries.image_index,
        )
        return aligned_bilinear(logits, self.feature_stride // self.out_stride)[:, 0]
