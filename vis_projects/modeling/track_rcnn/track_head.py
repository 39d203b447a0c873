"""The fully connected track head of MaskTrack R-CNN."""

from detectron2.layers import ShapeSpec
from torch import Tensor, nn


class TrackHead(nn.Module):
    """Fully connected layers from a pooled RoI to its embedding (section 5.2 of the MaskTrack R-CNN paper)."""

    def __init__(
        self, input_shape: ShapeSpec, *, fc_dim: int = 1024, num_fc: int = 2, final_relu: bool = False
    ) -> None:
        """
        Args:
            input_shape: channels, height and width of a pooled RoI.
            fc_dim: width of each layer, D.
            num_fc: number of layers, at least one.
            final_relu: ReLU after the last layer too, not only between layers.
        """
        super().__init__()
        if num_fc < 1:
            raise ValueError(f"NUM_FC is {num_fc}; the track head needs at least 1")
        in_dim = input_shape.channels * input_shape.height * input_shape.width
        widths = [in_dim] + [fc_dim] * num_fc
        self.fcs = nn.ModuleList(nn.Linear(a, b) for a, b in zip(widths, widths[1:]))
        self.final_relu = final_relu
        for layer in self.fcs:
            nn.init.normal_(layer.weight, std=0.01)
            nn.init.zeros_(layer.bias)

    def forward(self, x: Tensor) -> Tensor:
        """Embeds RoIs: (R, C, h, w) to (R, D); R may be 0."""
        x = x.flatten(start_dim=1)
        for k, layer in enumerate(self.fcs):
            x = layer(x)
            if k + 1 < len(self.fcs) or self.final_relu:
                x = x.relu()
        return x
