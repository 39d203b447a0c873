"""``ROIAlign`` as a module."""

from torch import nn
from torchvision.ops import roi_align


class ROIAlign(nn.Module):
    """Pool features inside boxes to a fixed size by bilinear sampling.

    With ``aligned`` a coordinate c of a box lies at c * spatial_scale - 0.5 on the grid of cells (cell centres at
    integers), which is exact; without it there is no shift, as old models expect.
    """

    def __init__(self, output_size, spatial_scale, sampling_ratio, aligned=True):
        """Args:
            output_size: (height, width), or one int for both.
            spatial_scale: cells per pixel.
            sampling_ratio: samples per output cell and direction; 0 chooses it by the size of the box.
            aligned: see above.
        """
        super().__init__()
        self.output_size, self.spatial_scale = output_size, spatial_scale
        self.sampling_ratio, self.aligned = sampling_ratio, aligned

    def forward(self, input, rois):
        """Pool.

        Args:
            input: N x C x H x W.
            rois: B x 5, image index and XYXY_ABS in pixels; AssertionError for another shape.

        Returns:
            B x C x output_size.
        """
        assert rois.dim() == 2 and rois.shape[1] == 5, f"rois need the shape B x 5, got {tuple(rois.shape)}"
        return roi_align(
            input, rois.to(input.dtype), self.output_size, self.spatial_scale, self.sampling_ratio, self.aligned
        )

    def __repr__(self):
        arguments = ("output_size", "spatial_scale", "sampling_ratio", "aligned")
        return f"{type(self).__name__}({', '.join(f'{name}={getattr(self, name)}' for name in arguments)})"
