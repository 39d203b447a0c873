"""The prediction head: five outputs per anchor, shared by all levels (sections 3.1 to 3.3).

Letters: N images, A anchors of all levels, C classes, K mask coefficients, D size of an embedding, h x w a level.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from vis_projects.methods.stmask.anchors import level_anchors
from vis_projects.methods.stmask.feature_align import FeatureAlign
from vis_projects.modeling.yolact import xavier_init

BRANCHES = ("class", "mask", "track")
CENTERNESS_ORDERS = ("kernel_major", "anchor_major")


@dataclass
class HeadOutputs:
    """What the head says about N images.

    Attributes:
        deltas: (N, A, 4) coded boxes.
        logits: (N, A, 1 + C), column 0 is background.
        coefficients: (N, A, K) before tanh.
        embeddings: (N, A, D) of length 1.
        centerness: (N, A) in (-1, 1), or None.
        anchors: (A, 4) cxcywh as fractions of the padded image.
        shared: per level (N, channels, h, w), the first layer's output.
    """

    deltas: Tensor
    logits: Tensor
    coefficients: Tensor
    embeddings: Tensor
    centerness: Tensor | None
    anchors: Tensor
    shared: list[Tensor]


class PredictionHead(nn.Module):
    """One shared layer, a tower for each branch, and for each kernel a last layer per output.

    Parameter names are those of the released models, behind `prediction_layers.0.`.
    """

    def __init__(
        self, *, in_channels: int, num_classes: int, num_prototypes: int, embed_dim: int,
        kernels: Sequence[tuple[int, int]], shapes: Sequence[Sequence[tuple[float, float]]], tower_convs: int = 2,
        centerness: bool = True, centerness_order: str = "kernel_major", fcb_type: str = "none",
        fcb_branches: Sequence[str] = (), variances: Sequence[float] = (0.1, 0.2),
    ) -> None:
        """
        Args:
            in_channels: of every level, and of all layers here.
            num_classes: C.
            num_prototypes: K.
            embed_dim: D.
            kernels: (height, width) of the last layers.
            shapes: (width, height) in cells of each kernel's anchors, see `anchor_shapes`.
            tower_convs: 3x3 convolutions of each tower.
            centerness: whether there is such an output.
            centerness_order: "anchor_major", as all other outputs, or "kernel_major": on each level all cells of the
                first kernel, then those of the second, and so on, as in the released models.
            fcb_type: "none", "ada" or "ali".
            fcb_branches: which of `BRANCHES` end in a `FeatureAlign`.
            variances: of the box coding.

        Raises:
            ValueError: an unknown branch, order or type.
        """
        super().__init__()
        self._check(fcb_type, fcb_branches, centerness_order)
        self.kernels = [tuple(kernel) for kernel in kernels]
        self.shapes = tuple(tuple(tuple(shape) for shape in kernel) for kernel in shapes)
        self.variances = tuple(variances)
        self.kernel_major = centerness_order == "kernel_major"
        self.aligned = tuple(fcb_branches) if fcb_type != "none" else ()
        self.sizes = {"class": num_classes + 1, "mask": num_prototypes, "track": embed_dim}

        def last(out: int) -> nn.ModuleList:
            return nn.ModuleList(
                nn.Conv2d(in_channels, out * len(kernel_shapes), kernel, padding=(kernel[0] // 2, kernel[1] // 2))
                for kernel, kernel_shapes in zip(self.kernels, self.shapes)
            )

        def last_of(branch: str) -> nn.ModuleList:
            if branch not in self.aligned:
                return last(self.sizes[branch])
            # one calibration per anchor, kernel by kernel
            return nn.ModuleList(
                FeatureAlign(fcb_type, in_channels, self.sizes[branch], kernel, shape, self.variances)
                for kernel, kernel_shapes in zip(self.kernels, self.shapes) for shape in kernel_shapes
            )

        self.upfeature = _tower(in_channels, 1)
        self.bbox_extra, self.bbox_layer = _tower(in_channels, tower_convs), last(4)
        self.conf_extra, self.conf_layer = _tower(in_channels, tower_convs), last_of("class")
        self.mask_extra, self.mask_layer = _tower(in_channels, tower_convs), last_of("mask")
        self.track_extra, self.track_layer = _tower(in_channels, tower_convs), last_of("track")
        self.centerness_layer = last(1) if centerness else None
        xavier_init(self)

    def forward(self, features: Sequence[Tensor]) -> HeadOutputs:
        """Levels (N, in_channels, h, w), finest first -> outputs, level by level."""
        levels = [self._level(feature) for feature in features]
        sizes = tuple(tuple(feature.shape[-2:]) for feature in features)
        joined = {name: torch.cat([level[name] for level in levels], dim=1)
                  for name in ("box", "class", "mask", "track")}
        centerness = None
        if self.centerness_layer is not None:
            centerness = torch.cat([level["centerness"] for level in levels], dim=1).float().tanh()
        return HeadOutputs(
            deltas=joined["box"].float(), logits=joined["class"].float(), coefficients=joined["mask"].float(),
            embeddings=F.normalize(joined["track"].float(), dim=-1), centerness=centerness,
            anchors=level_anchors(self.shapes, sizes, features[0].device), shared=[level["shared"] for level in levels],
        )

    def _level(self, feature: Tensor) -> dict[str, Tensor]:
        height, width = feature.shape[-2:]

        def plain(layers: nn.ModuleList, hidden: Tensor) -> list[Tensor]:
            # a kernel of even size gives a row or column too many
            return [layer(hidden)[..., :height, :width] for layer in layers]

        shared = self.upfeature(feature)
        box_feature = self.bbox_extra(shared)
        boxes = plain(self.bbox_layer, box_feature)
        out = {"shared": shared, "box": self._flatten(boxes, 4)}
        towers = {"class": (self.conf_extra, self.conf_layer), "mask": (self.mask_extra, self.mask_layer),
                  "track": (self.track_extra, self.track_layer)}
        for branch, (tower, layers) in towers.items():
            hidden = tower(shared)
            if branch in self.aligned:
                deltas = [delta for kernel in boxes for delta in kernel.split(4, dim=1)]
                maps = [layer(hidden, delta) for layer, delta in zip(layers, deltas, strict=True)]
            else:
                maps = plain(layers, hidden)
            out[branch] = self._flatten(maps, self.sizes[branch])
        if self.centerness_layer is not None:
            out["centerness"] = self._flatten_centerness(plain(self.centerness_layer, box_feature))
        return out

    @staticmethod
    def _flatten(maps: list[Tensor], size: int) -> Tensor:
        """Maps (N, s * size, h, w), one per kernel -> (N, h * w * anchors, size): cell by cell, then kernel, scale."""
        joined = torch.cat(maps, dim=1).permute(0, 2, 3, 1)
        return joined.reshape(len(joined), -1, size)

    def _flatten_centerness(self, maps: list[Tensor]) -> Tensor:
        if not self.kernel_major:
            return self._flatten(maps, 1)[..., 0]
        return torch.cat([one.permute(0, 2, 3, 1).flatten(1) for one in maps], dim=1)

    @staticmethod
    def _check(fcb_type: str, branches: Sequence[str], order: str) -> None:
        if order not in CENTERNESS_ORDERS:
            raise ValueError(f"MODEL.STMASK.HEAD.CENTERNESS_ORDER is {order!r}; choose from {CENTERNESS_ORDERS}")
        unknown = sorted(set(branches) - set(BRANCHES))
        if unknown:
            raise ValueError(f"MODEL.STMASK.FCB.BRANCHES holds {unknown}; choose from {BRANCHES}")
        if fcb_type not in ("none", "ada", "ali"):
            raise ValueError(f"MODEL.STMASK.FCB.TYPE is {fcb_type!r}; choose from ('none', 'ada', 'ali')")


def _tower(channels: int, convs: int) -> nn.Sequential:
    layers: list[nn.Module] = []
    for _ in range(convs):
        layers += [nn.Conv2d(channels, channels, 3, padding=1), nn.ReLU()]
    return nn.Sequential(*layers)
