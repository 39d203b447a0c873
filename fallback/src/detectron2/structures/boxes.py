"""Axis-aligned boxes: the format of one box (``BoxMode``), a set of boxes (``Boxes``), and pairwise measures.

Coordinates are absolute pixels, continuous: a box (x0, y0, x1, y1) covers [x0, x1] x [y0, y1], its width is x1 - x0.
"""

import math
from enum import IntEnum, unique

import numpy as np
import torch


@unique
class BoxMode(IntEnum):
    """Formats of a box. The relative ones exist as names only and cannot be converted."""

    XYXY_ABS = 0
    XYWH_ABS = 1
    XYXY_REL = 2
    XYWH_REL = 3
    XYWHA_ABS = 4  # centre x, centre y, width, height, degrees counter-clockwise

    @staticmethod
    def convert(box, from_mode: "BoxMode", to_mode: "BoxMode"):
        """Convert boxes to another format without modifying the input.

        Args:
            box: one box as a list or tuple of 4 (or 5) numbers, or N boxes as an N x 4 (or 5) array or tensor.
            from_mode, to_mode: formats.

        Returns:
            The same type as ``box``: list, tuple, array or tensor; integers stay integers.

        Raises:
            AssertionError: wrong number of coordinates, or a relative mode.
            NotImplementedError: no conversion between the two modes.
        """
        if from_mode == to_mode:
            return box
        values = _as_matrix(box)
        relative = (BoxMode.XYXY_REL, BoxMode.XYWH_REL)
        assert from_mode not in relative and to_mode not in relative, "boxes in relative coordinates are not supported"
        converter = _CONVERTERS.get((int(from_mode), int(to_mode)))
        if converter is None:
            raise NotImplementedError(f"no conversion of boxes from mode {int(from_mode)} to {int(to_mode)}")
        return _like(converter(values), box)


def _as_matrix(box) -> torch.Tensor:
    """Return a tensor of k columns that shares no memory with ``box``."""
    if isinstance(box, (list, tuple)):
        assert len(box) in (4, 5), f"a box has 4 or 5 numbers, got {len(box)}"
        return torch.tensor(box)[None, :]
    if isinstance(box, np.ndarray):
        return torch.from_numpy(np.asarray(box)).clone()
    return box.clone()


def _like(values: torch.Tensor, box):
    if isinstance(box, (list, tuple)):
        return type(box)(values.flatten().tolist())
    return values.numpy() if isinstance(box, np.ndarray) else values


def _xywh_to_xyxy(values):
    values[:, 2:4] += values[:, 0:2]
    return values


def _xyxy_to_xywh(values):
    values[:, 2:4] -= values[:, 0:2]
    return values


def _xywh_to_xywha(values):
    assert values.shape[-1] == 4, f"an XYWH box has 4 numbers, got {values.shape[-1]}"
    values = values.clone()
    values[:, 0:2] += values[:, 2:4] / 2.0 if values.is_floating_point() else (values[:, 2:4] / 2.0).to(values.dtype)
    return torch.cat((values, values.new_zeros(len(values), 1)), dim=1)


def _xywha_to_xyxy(values):
    """Return the upright rectangle around each rotated box, computed in double precision."""
    assert values.shape[-1] == 5, f"an XYWHA box has 5 numbers, got {values.shape[-1]}"
    exact = values.double()
    angle = exact[:, 4] * (math.pi / 180.0)
    cos, sin = angle.cos().abs(), angle.sin().abs()
    width = cos * exact[:, 2] + sin * exact[:, 3]
    height = cos * exact[:, 3] + sin * exact[:, 2]
    half = torch.stack((width, height), dim=1) / 2.0
    return torch.cat((exact[:, :2] - half, exact[:, :2] + half), dim=1).to(values.dtype)


_CONVERTERS = {
    (BoxMode.XYWH_ABS, BoxMode.XYXY_ABS): _xywh_to_xyxy,
    (BoxMode.XYXY_ABS, BoxMode.XYWH_ABS): _xyxy_to_xywh,
    (BoxMode.XYWH_ABS, BoxMode.XYWHA_ABS): _xywh_to_xywha,
    (BoxMode.XYWHA_ABS, BoxMode.XYXY_ABS): _xywha_to_xyxy,
}


class Boxes:
    """N boxes as an N x 4 float32 tensor of XYXY_ABS coordinates.

    Attributes:
        tensor: the N x 4 matrix.
    """

    def __init__(self, tensor: torch.Tensor):
        """Args:
            tensor: N x 4 tensor, or what ``torch.as_tensor`` accepts (then on the CPU). Without any element: no boxes.

        Raises:
            AssertionError: not a matrix of 4 columns.
        """
        if not isinstance(tensor, torch.Tensor):
            tensor = torch.as_tensor(tensor, dtype=torch.float32, device=torch.device("cpu"))
        tensor = tensor.to(torch.float32)
        if tensor.numel() == 0:
            tensor = tensor.reshape(0, 4)
        assert tensor.dim() == 2 and tensor.shape[-1] == 4, f"Boxes need an N x 4 tensor, got {tuple(tensor.shape)}"
        self.tensor = tensor

    @property
    def device(self) -> torch.device:
        """Device of the tensor."""
        return self.tensor.device

    def clone(self) -> "Boxes":
        """Return a copy with its own memory."""
        return Boxes(self.tensor.clone())

    def to(self, device: torch.device):
        """Return the boxes on another device."""
        return Boxes(self.tensor.to(device=device))

    def area(self) -> torch.Tensor:
        """Return N areas in pixels^2."""
        box = self.tensor
        return (box[:, 2] - box[:, 0]) * (box[:, 3] - box[:, 1])

    def clip(self, box_size: tuple[int, int]) -> None:
        """Limit x to [0, width] and y to [0, height]; binds a new tensor to ``self.tensor``.

        Args:
            box_size: (height, width) in pixels.

        Raises:
            AssertionError: a coordinate is infinite or NaN.
        """
        assert torch.isfinite(self.tensor).all(), "a box has an infinite or NaN coordinate"
        height, width = box_size
        xs = self.tensor[:, 0::2].clamp(min=0, max=width)
        ys = self.tensor[:, 1::2].clamp(min=0, max=height)
        self.tensor = torch.stack((xs, ys), dim=2).reshape(-1, 4)

    def nonempty(self, threshold: float = 0.0) -> torch.Tensor:
        """Return N bools: both sides are longer than the threshold (pixels)."""
        sides = self.tensor[:, 2:] - self.tensor[:, :2]
        return (sides > threshold).all(dim=1)

    def inside_box(self, box_size: tuple[int, int], boundary_threshold: int = 0) -> torch.Tensor:
        """Return N bools: the box lies in (height, width) = ``box_size``, widened by the threshold on each side."""
        height, width = box_size
        near = (self.tensor[:, :2] >= -boundary_threshold).all(dim=1)
        within_x = self.tensor[:, 2] < width + boundary_threshold
        within_y = self.tensor[:, 3] < height + boundary_threshold
        return near & within_x & within_y

    def get_centers(self) -> torch.Tensor:
        """Return the N x 2 centres (x, y)."""
        return (self.tensor[:, :2] + self.tensor[:, 2:]) / 2

    def scale(self, scale_x: float, scale_y: float) -> None:
        """Multiply the coordinates in the tensor itself."""
        self.tensor[:, 0::2] *= scale_x
        self.tensor[:, 1::2] *= scale_y

    @classmethod
    def cat(cls, boxes_list: list["Boxes"]) -> "Boxes":
        """Concatenate boxes; an empty list gives no boxes."""
        assert isinstance(boxes_list, (list, tuple)), f"expected a list of Boxes, got {type(boxes_list).__name__}"
        assert all(isinstance(boxes, Boxes) for boxes in boxes_list), "expected a list of Boxes only"
        if not boxes_list:
            return cls(torch.empty(0))
        return cls(torch.cat([boxes.tensor for boxes in boxes_list], dim=0))

    def __getitem__(self, item) -> "Boxes":
        """Select boxes by an int (gives one box), a slice, a bool or an integer vector."""
        if isinstance(item, int):
            return Boxes(self.tensor[item][None])
        chosen = self.tensor[item]
        assert chosen.dim() == 2, f"indexing Boxes with {item} gives the shape {tuple(chosen.shape)}, not a matrix"
        return Boxes(chosen)

    def __iter__(self):
        """Yield each box as a tensor of 4 numbers."""
        return iter(self.tensor)

    def __len__(self) -> int:
        return len(self.tensor)

    def __repr__(self) -> str:
        return f"Boxes({self.tensor})"


def pairwise_intersection(boxes1: Boxes, boxes2: Boxes) -> torch.Tensor:
    """Return the N x M areas of overlap."""
    one, two = boxes1.tensor[:, None], boxes2.tensor[None]
    sides = torch.minimum(one[..., 2:], two[..., 2:]) - torch.maximum(one[..., :2], two[..., :2])
    return sides.clamp(min=0).prod(dim=2)


def pairwise_iou(boxes1: Boxes, boxes2: Boxes) -> torch.Tensor:
    """Return the N x M intersections over unions, 0 where two boxes do not overlap."""
    area1, area2 = boxes1.area(), boxes2.area()
    overlap = pairwise_intersection(boxes1, boxes2)
    return _ratio(overlap, area1[:, None] + area2 - overlap)


def pairwise_ioa(boxes1: Boxes, boxes2: Boxes) -> torch.Tensor:
    """Return the N x M intersections over the areas of the second boxes."""
    area2 = boxes2.area()
    overlap = pairwise_intersection(boxes1, boxes2)
    return _ratio(overlap, area2)


def _ratio(overlap, denominator):
    """Divide where there is overlap: two boxes without area would give 0 / 0 otherwise."""
    return torch.where(overlap > 0, overlap / denominator, torch.zeros_like(overlap))


def pairwise_point_box_distance(points: torch.Tensor, boxes: Boxes):
    """Return N x M x 4 distances from each point to the left, top, right, bottom side; negative when outside.

    Args:
        points: N x 2 coordinates (x, y).
        boxes: M boxes.
    """
    point = points[:, None]
    corners = boxes.tensor[None]
    return torch.cat((point - corners[..., :2], corners[..., 2:] - point), dim=2)


def matched_pairwise_iou(boxes1: Boxes, boxes2: Boxes) -> torch.Tensor:
    """Return N intersections over unions of boxes at the same position (NaN for two boxes without area)."""
    assert len(boxes1) == len(boxes2), f"expected as many boxes on both sides, got {len(boxes1)} and {len(boxes2)}"
    one, two = boxes1.tensor, boxes2.tensor
    area1, area2 = boxes1.area(), boxes2.area()
    sides = (torch.minimum(one[:, 2:], two[:, 2:]) - torch.maximum(one[:, :2], two[:, :2])).clamp(min=0)
    overlap = sides[:, 0] * sides[:, 1]
    return overlap / (area1 + area2 - overlap)
