"""FCB: features are read where the regressed box lies, by a deformable convolution (section 3.3, eqs. 4-8)."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from vis_projects.modeling.deform_conv import DeformConv
from vis_projects.modeling.yolact import size_factor, xavier_init

KINDS = ("ada", "ali")


class FeatureAlign(nn.Module):
    """The last layer of a branch for one anchor shape, on features calibrated to the boxes of that anchor.

    A deformable convolution of the size of the kernel, ReLU, and an ordinary convolution of the same size. Parameter
    names are those of the released models.
    """

    def __init__(
        self, kind: str, in_channels: int, out_channels: int, kernel: tuple[int, int], anchor: tuple[float, float],
        variances: Sequence[float],
    ) -> None:
        """
        Args:
            kind: "ada": a 1x1 convolution makes the offsets from the box deltas; "ali": they follow from the box.
            in_channels, out_channels: of the branch.
            kernel: (height, width), odd.
            anchor: (width, height) in cells of the boxes.
            variances: of the box coding.

        Raises:
            ValueError: an unknown kind, or an even kernel, whose taps have no centre.
        """
        super().__init__()
        if kind not in KINDS:
            raise ValueError(f"MODEL.STMASK.FCB.TYPE is {kind!r}; choose from {('none', *KINDS)}")
        if any(side % 2 == 0 for side in kernel):
            raise ValueError(f"MODEL.STMASK.FCA.KERNELS holds {tuple(kernel)}; FCB needs odd kernels")
        self.kernel, self.anchor, self.variances = tuple(kernel), tuple(anchor), tuple(variances)
        padding = (kernel[0] // 2, kernel[1] // 2)
        self.conv_adaption = DeformConv(in_channels, in_channels, self.kernel, padding=padding)
        self.conv = nn.Conv2d(in_channels, out_channels, self.kernel, padding=padding)
        self.conv_offset = nn.Conv2d(4, 2 * kernel[0] * kernel[1], 1, bias=False) if kind == "ada" else None
        xavier_init(self)
        nn.init.xavier_uniform_(self.conv_adaption.weight)

    def forward(self, feature: Tensor, deltas: Tensor) -> Tensor:
        """
        Args:
            feature: (N, in_channels, h, w) of the branch.
            deltas: (N, 4, h, w) coded boxes of this anchor; no gradient goes into them.

        Returns:
            (N, out_channels, h, w).
        """
        deltas = deltas.detach()
        if self.conv_offset is not None:
            offsets = self.conv_offset(deltas)
        else:
            offsets = aligned_offsets(deltas, self.kernel, self.anchor, self.variances)
        return self.conv(F.relu(self.conv_adaption(feature, offsets)))


def aligned_offsets(
    deltas: Tensor, kernel: tuple[int, int], anchor: tuple[float, float], variances: Sequence[float]
) -> Tensor:
    """Offsets that bring the taps of a kernel to the centres of the kh x kw bins of the box (eqs. 6-8).

    For a box of centre c + s and size e, both in cells, tap r = -(kh - 1) / 2 .. (kh - 1) / 2 of the rows comes from r
    to s_y + r e_y / kh. Where the anchor has the size of the kernel, e_y / kh is exp(v_1 d_3), and this is what the
    released code does; the paper's d are already multiplied by the variances.

    Args:
        deltas: (N, 4, h, w) coded boxes (x, y, w, h).
        kernel: (kh, kw), odd.
        anchor: (width, height) in cells.
        variances: (v_0, v_1) of the box coding.

    Returns:
        (N, 2 * kh * kw, h, w), (dy, dx) tap by tap in rows, in cells; float32 or more.
    """
    if deltas.dtype.itemsize < 4:
        deltas = deltas.float()
    per_axis = []
    for axis, (taps, side) in enumerate(zip(kernel[::-1], anchor)):
        shift = variances[0] * side * deltas[:, axis]
        stretch = side * size_factor(variances[1] * deltas[:, 2 + axis]) / taps - 1
        places = torch.arange(taps, device=deltas.device, dtype=deltas.dtype) - (taps - 1) / 2
        per_axis.append(shift[:, None] + stretch[:, None] * places[:, None, None])
    x, y = per_axis  # (N, kw, h, w) and (N, kh, h, w)
    rows, columns = kernel
    y = y[:, :, None].expand(-1, -1, columns, -1, -1)
    x = x[:, None].expand(-1, rows, -1, -1, -1)
    return torch.stack([y, x], dim=3).flatten(1, 3)
