"""Temporal fusion: how boxes and mask coefficients of a frame change on the way to a later one (section 3.2).

Letters: N pairs of frames, C channels, h x w the map that is fused, P the patch of the correlation, R RoIs, K
prototypes.
Boxes are xyxy, fractions of the padded image.
"""

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from vis_projects.layers import PreciseROIAlign, local_correlation
from vis_projects.methods.stmask.frame import TemporalFeatures
from vis_projects.modeling.yolact import center_form, corner_form, decode_boxes, xavier_init

LEAKY_SLOPE = 0.1
FARTHEST = 10.0


class TemporalNet(nn.Module):
    """Correlation of two frames, RoI features of the earlier frame's objects, and what they say about the later frame.

    Fig. 5 of the paper. The map is `[correlation, shared of the earlier, shared of the later frame]`, as in the
    published code; the paper concatenates the FPN's features themselves.
    """

    def __init__(
        self,
        *,
        in_channels: int = 256,
        num_prototypes: int = 32,
        patch: int = 11,
        dilation: int = 1,
        roi_size: int = 7,
        box_expand: float = 1.0,
        conv_dims: Sequence[int] = (512, 512, 1024),
        variances: Sequence[float] = (0.1, 0.2),
    ) -> None:
        """
        Args:
            in_channels: of the maps of `TemporalFeatures.shared`.
            num_prototypes: K.
            patch: P, odd: shifts along each axis that are correlated.
            dilation: places from one shift to the next.
            roi_size: side of the RoI features.
            box_expand: factor on the sides of the boxes before their features are read.
            conv_dims: output channels of the three convolutions.
            variances: of the box coding, for centres and for sizes.
        """
        super().__init__()
        if patch < 1 or patch % 2 == 0:
            raise ValueError(f"MODEL.STMASK.TF.PATCH is {patch}; give an odd number, so that the patch has a middle")
        if len(conv_dims) != 3:
            raise ValueError(f"MODEL.STMASK.TF.CONV_DIMS is {tuple(conv_dims)}; give three numbers of channels")
        self.patch = patch
        self.dilation = dilation
        self.box_expand = box_expand
        self.variances = tuple(variances)
        self.pooler = PreciseROIAlign((roi_size, roi_size), 1.0, 0, aligned=True)
        dims = (patch * patch + 2 * in_channels, *conv_dims)
        self.conv1, self.conv2, self.conv3 = (
            nn.Conv2d(dims[i], dims[i + 1], kernel_size=3, padding=1) for i in range(3)
        )
        self.fc = nn.Linear(dims[-1], 4)
        self.fc_coeff = nn.Linear(dims[-1], num_prototypes)
        xavier_init(self)

    def forward(
        self, earlier: TemporalFeatures, later: TemporalFeatures, boxes: Tensor, pair_index: Tensor
    ) -> tuple[Tensor, Tensor]:
        """One run for the objects of all pairs.

        Args:
            earlier, later: of N pairs.
            boxes: (R, 4), of objects of the earlier frames.
            pair_index: (R,) int64, pair of each; R may be 0.

        Returns:
            Deltas of the boxes (R, 4), coded with the variances against the earlier box, and what to add to the mask
            coefficients before their tanh (R, K).
        """
        maps = self.fuse(earlier, later)
        cells = self.in_cells(boxes, maps.shape[-2:])
        rois = torch.cat([pair_index[:, None].to(cells), cells], dim=1)
        x = self.pooler(maps, rois)
        for conv in (self.conv1, self.conv2, self.conv3):
            x = F.relu(conv(x))
        x = x.mean(dim=(2, 3))
        return self.fc(x), self.fc_coeff(x)

    def fuse(self, earlier: TemporalFeatures, later: TemporalFeatures) -> Tensor:
        """(N, P * P + 2 C, h, w): correlation and both frames' shared features, negative values cut off."""
        correlation = local_correlation(
            earlier.correlated, later.correlated, self.patch, self.dilation, normalize=True, negative_slope=LEAKY_SLOPE
        )
        # cutting off the correlation's negative values too leaves the leaky slope without effect, as in that code
        return F.relu(torch.cat([correlation, earlier.shared, later.shared], dim=1))

    def in_cells(self, boxes: Tensor, size: tuple[int, int]) -> Tensor:
        """Boxes (R, 4) in cells of a map (h, w), enlarged, ordered, and cut to the map."""
        height, width = size
        centers = center_form(boxes.float())
        boxes = corner_form(torch.cat([centers[:, :2], centers[:, 2:] * self.box_expand], dim=1))
        low, high = torch.minimum(boxes[:, :2], boxes[:, 2:]), torch.maximum(boxes[:, :2], boxes[:, 2:])
        scale = boxes.new_tensor([width, height])
        return torch.cat([low, high], dim=1).clamp(min=0, max=1) * scale.repeat(2)

    def shift(
        self, earlier: TemporalFeatures, later: TemporalFeatures, boxes: Tensor, coefficients: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Moves the objects of one frame to a later one (eq. 11 to 13).

        Args:
            earlier, later: of one pair.
            boxes: (M, 4). coefficients: (M, K) before the tanh.

        Returns:
            float32 boxes (M, 4) and coefficients (M, K).
        """
        pair_index = torch.zeros(len(boxes), dtype=torch.int64, device=boxes.device)
        deltas, change = self(earlier, later, boxes, pair_index)
        moved = decode_boxes(deltas.float(), center_form(boxes.float()), self.variances)
        # An object that left is moved on and on: far outside of the image its box stops, before numbers overflow.
        return moved.clamp(min=-FARTHEST, max=FARTHEST), coefficients.float() + change.float()
