"""Masks of objects: bitmaps of the whole image, polygons, and square masks relative to boxes."""

import numpy as np
import torch

from detectron2._impl.polygons import (
    checked_polygons,
    index_list,
    polygon_area,
    polygons_to_bitmask,
    rasterize_polygons_within_box,
)
from detectron2.layers.mask_ops import paste_masks_in_image
from detectron2.layers.roi_align import ROIAlign
from detectron2.structures.boxes import Boxes
from detectron2.utils.memory import retry_if_cuda_oom

__all__ = ["BitMasks", "PolygonMasks", "ROIMasks", "polygons_to_bitmask"]


class BitMasks:
    """N masks of the size of the image.

    Attributes:
        tensor: N x H x W bool.
        image_size: (H, W).
    """

    def __init__(self, tensor: torch.Tensor | np.ndarray):
        """Args:
            tensor: N x H x W, converted to bool. AssertionError for another number of dimensions.
        """
        device = tensor.device if isinstance(tensor, torch.Tensor) else torch.device("cpu")
        tensor = torch.as_tensor(tensor, dtype=torch.bool, device=device)
        assert tensor.dim() == 3, f"bit masks need the shape N x H x W, got {tuple(tensor.shape)}"
        self.image_size = tensor.shape[1:]
        self.tensor = tensor

    def to(self, *args, **kwargs) -> "BitMasks":
        """Return the masks after ``Tensor.to``."""
        return BitMasks(self.tensor.to(*args, **kwargs))

    @property
    def device(self) -> torch.device:
        """Device of the tensor."""
        return self.tensor.device

    def __getitem__(self, item) -> "BitMasks":
        """Select masks by an int (gives one mask), a slice, a bool or an integer vector."""
        if isinstance(item, int):
            return BitMasks(self.tensor[item][None])
        chosen = self.tensor[item]
        assert chosen.dim() == 3, f"indexing BitMasks with {item} gives a tensor of shape {tuple(chosen.shape)}"
        return BitMasks(chosen)

    def __iter__(self):
        """Yield each mask as an H x W tensor."""
        return iter(self.tensor)

    def __repr__(self) -> str:
        return f"{type(self).__name__}(num_instances={len(self)})"

    def __len__(self) -> int:
        return self.tensor.shape[0]

    def nonempty(self) -> torch.Tensor:
        """Return N bools: the mask has a pixel."""
        return self.tensor.flatten(1).any(dim=1)

    @staticmethod
    def from_polygon_masks(
        polygon_masks: "PolygonMasks | list[list[np.ndarray]]", height: int, width: int
    ) -> "BitMasks":
        """Rasterise the polygons of N objects into masks of (height, width)."""
        if isinstance(polygon_masks, PolygonMasks):
            polygon_masks = polygon_masks.polygons
        if len(polygon_masks) == 0:
            return BitMasks(torch.zeros(0, height, width, dtype=torch.bool))
        return BitMasks(np.stack([polygons_to_bitmask(polygons, height, width) for polygons in polygon_masks]))

    @staticmethod
    def from_roi_masks(roi_masks: "ROIMasks", height: int, width: int) -> "BitMasks":
        """Exists for its name: masks relative to boxes cannot be placed without the boxes.

        Raises:
            TypeError: always; call ``ROIMasks.to_bitmasks(boxes, height, width)``.
        """
        raise TypeError("from_roi_masks knows no boxes; use roi_masks.to_bitmasks(boxes, height, width)")

    def crop_and_resize(self, boxes: torch.Tensor, mask_size: int) -> torch.Tensor:
        """Cut each mask to its box and resample it with ROIAlign.

        Args:
            boxes: N x 4 tensor XYXY_ABS.
            mask_size: side of the result, M.

        Returns:
            N x M x M bool.
        """
        assert len(boxes) == len(self), f"{len(boxes)} boxes for {len(self)} masks"
        device = self.tensor.device
        boxes = boxes.to(device=device)
        rows = torch.arange(len(boxes), device=device, dtype=boxes.dtype)
        rois = torch.cat((rows[:, None], boxes), dim=1)
        align = ROIAlign((mask_size, mask_size), spatial_scale=1.0, sampling_ratio=0, aligned=True)
        return align(self.tensor.float()[:, None], rois)[:, 0] >= 0.5

    def get_bounding_boxes(self) -> Boxes:
        """Return the tight boxes, right and bottom exclusive; zeros for an empty mask."""
        boxes = torch.zeros(len(self), 4, dtype=torch.float32)
        columns, rows = self.tensor.any(dim=1), self.tensor.any(dim=2)
        for box, has_column, has_row in zip(boxes, columns, rows):
            xs, ys = has_column.nonzero()[:, 0], has_row.nonzero()[:, 0]
            if len(xs):
                box.copy_(torch.stack((xs[0], ys[0], xs[-1] + 1, ys[-1] + 1)))
        return Boxes(boxes)

    @staticmethod
    def cat(bitmasks_list: list["BitMasks"]) -> "BitMasks":
        """Concatenate at least one set of masks of one image size."""
        _check_list_of(bitmasks_list, BitMasks)
        return BitMasks(torch.cat([masks.tensor for masks in bitmasks_list], dim=0))


class PolygonMasks:
    """Masks of N objects as polygons; always on the CPU.

    Attributes:
        polygons: list of N lists of polygons, each a float64 array (x0, y0, x1, y1, ...) in pixels.
    """

    def __init__(self, polygons: list[list[torch.Tensor | np.ndarray]]):
        """Args:
            polygons: for each object a list of polygons with at least 3 points.

        Raises:
            ValueError: not a list of lists, or a polygon of less than 6 or of an odd number of coordinates.
        """
        if not isinstance(polygons, list):
            raise ValueError(f"expected one list of polygons per object, got {type(polygons).__name__}")
        self.polygons = [checked_polygons(of_object) for of_object in polygons]

    def to(self, *args, **kwargs) -> "PolygonMasks":
        """Return self: polygons stay on the CPU."""
        return self

    @property
    def device(self) -> torch.device:
        """The CPU."""
        return torch.device("cpu")

    def get_bounding_boxes(self) -> Boxes:
        """Return the boxes around all polygons of each object (right and bottom at least 0)."""
        boxes = torch.zeros(len(self), 4, dtype=torch.float32)
        for box, polygons in zip(boxes, self.polygons):
            low, high = torch.full((2,), float("inf")), torch.zeros(2)
            for polygon in polygons:
                points = torch.from_numpy(polygon).float().reshape(-1, 2)
                low, high = torch.minimum(low, points.amin(dim=0)), torch.maximum(high, points.amax(dim=0))
            box.copy_(torch.cat((low, high)))
        return Boxes(boxes)

    def nonempty(self) -> torch.Tensor:
        """Return N bools: the object has a polygon."""
        return torch.tensor([len(polygons) > 0 for polygons in self.polygons], dtype=torch.bool)

    def __getitem__(self, item) -> "PolygonMasks":
        """Select objects by an int, a slice, a list of ints, or a bool or integer vector.

        Raises:
            ValueError: a vector of another dtype. TypeError: another type.
        """
        if isinstance(item, int):
            return PolygonMasks([self.polygons[item]])
        if isinstance(item, slice):
            return PolygonMasks(self.polygons[item])
        return PolygonMasks([self.polygons[index] for index in index_list(item)])

    def __iter__(self):
        """Yield the list of polygons of each object."""
        return iter(self.polygons)

    def __repr__(self) -> str:
        return f"{type(self).__name__}(num_instances={len(self.polygons)})"

    def __len__(self) -> int:
        return len(self.polygons)

    def crop_and_resize(self, boxes: torch.Tensor, mask_size: int) -> torch.Tensor:
        """Cut each object to its box, stretch it, and rasterise it.

        Args:
            boxes: N x 4 tensor XYXY_ABS.
            mask_size: side of the result, M.

        Returns:
            N x M x M bool on the device of the boxes.
        """
        assert len(boxes) == len(self), f"{len(boxes)} boxes for {len(self)} objects"
        if len(self) == 0:
            return torch.zeros(0, mask_size, mask_size, dtype=torch.bool, device=boxes.device)
        windows = boxes.detach().cpu().numpy()
        pairs = zip(self.polygons, windows)
        masks = [rasterize_polygons_within_box(polygons, box, mask_size) for polygons, box in pairs]
        return torch.stack(masks).to(device=boxes.device)

    def area(self):
        """Return N areas in pixels^2: the sum over the polygons of an object, by the shoelace formula."""
        return torch.tensor([sum(polygon_area(p[0::2], p[1::2]) for p in polygons) for polygons in self.polygons])

    @staticmethod
    def cat(polymasks_list: list["PolygonMasks"]) -> "PolygonMasks":
        """Concatenate at least one set of polygon masks."""
        _check_list_of(polymasks_list, PolygonMasks)
        return PolygonMasks([polygons for masks in polymasks_list for polygons in masks.polygons])


class ROIMasks:
    """Masks of N objects, each relative to its box: a soft N x M x M tensor."""

    def __init__(self, tensor: torch.Tensor):
        """Args:
            tensor: N x M x M values in [0, 1]. ValueError for another number of dimensions.
        """
        if tensor.dim() != 3:
            raise ValueError(f"ROI masks need 3 dimensions, got {tuple(tensor.shape)}")
        self.tensor = tensor

    def to(self, device: torch.device) -> "ROIMasks":
        """Return the masks on another device."""
        return ROIMasks(self.tensor.to(device))

    @property
    def device(self) -> torch.device:
        """Device of the tensor."""
        return self.tensor.device

    def __len__(self):
        return self.tensor.shape[0]

    def __getitem__(self, item) -> "ROIMasks":
        """Select masks by what keeps three dimensions; ValueError otherwise."""
        chosen = self.tensor[item]
        if chosen.dim() != 3:
            raise ValueError(f"indexing ROIMasks with {item} gives a tensor of shape {tuple(chosen.shape)}")
        return ROIMasks(chosen)

    def __repr__(self) -> str:
        return f"{type(self).__name__}(num_instances={len(self)})"

    def to_bitmasks(self, boxes: torch.Tensor, height, width, threshold=0.5):
        """Paste the masks into an image.

        Args:
            boxes: ``Boxes`` with N boxes.
            height, width: size of the image in pixels.
            threshold: a pixel belongs to the mask from this value on.

        Returns:
            BitMasks.
        """
        paste = retry_if_cuda_oom(paste_masks_in_image)
        return BitMasks(paste(self.tensor, boxes.tensor, (height, width), threshold=threshold))


def _check_list_of(items, kind) -> None:
    assert isinstance(items, (list, tuple)), f"expected a list of {kind.__name__}, got {type(items).__name__}"
    assert len(items) > 0, "expected at least one item"
    assert all(isinstance(item, kind) for item in items), f"expected {kind.__name__} only"
