"""Which cell answers for which object, and what it has to predict (FCOS sections 3.1 and 3.2, centre sampling)."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from detectron2.structures import Instances
from torch import Tensor

# pixels: an object whose largest target distance lies in [low, high] belongs to the level
LEVEL_RANGES = ((-1.0, 64.0), (64.0, 128.0), (128.0, 256.0), (256.0, 512.0), (512.0, float("inf")))
CENTER_RADIUS = 1.5  # strides around the centre of an object


@dataclass
class FCOSTargets:
    """Targets of M locations, level-major.

    Attributes:
        labels: int64 (M,), the class, K for background.
        ltrb: float32 (M, 4), distances to the sides of the box in units of the level's stride; 0 for background.
        gt_index: int64 (M,), row in the list of all objects of the batch, image by image; -1 for background.
        image_index: int64 (M,), image of the location.
        level: int64 (M,), level of the location.
        locations: float32 (M, 2), (x, y) in pixels.
        num_classes: K.
    """

    labels: Tensor
    ltrb: Tensor
    gt_index: Tensor
    image_index: Tensor
    level: Tensor
    locations: Tensor
    num_classes: int

    @property
    def positives(self) -> Tensor:
        """int64 rows of the locations that answer for an object, ascending."""
        return torch.nonzero(self.labels != self.num_classes).flatten()

    def centerness(self, rows: Tensor) -> Tensor:
        """float32 (P,) target sqrt(min(l, r) / max(l, r) * min(t, b) / max(t, b)) of these rows (FCOS eq. 3)."""
        left, top, right, bottom = self.ltrb[rows].unbind(1)
        horizontal = torch.minimum(left, right) / torch.maximum(left, right)
        vertical = torch.minimum(top, bottom) / torch.maximum(top, bottom)
        return (horizontal * vertical).sqrt()


def fcos_targets(
    locations: Sequence[Tensor],
    strides: Sequence[int],
    instances: Sequence[Instances],
    num_classes: int,
    *,
    centers: Sequence[Tensor] | None = None,
    level_ranges: Sequence[tuple[float, float]] = LEVEL_RANGES,
    radius: float = CENTER_RADIUS,
) -> FCOSTargets:
    """Targets of a batch.

    A location answers for an object if it lies strictly inside the box and strictly within `radius` strides of the
    centre, and the largest of its four distances is in the level's range. Of several objects the one with the smallest
    box wins, of equal ones the first.

    Args:
        locations: L times (H * W, 2) of `level_locations`.
        strides: L strides in pixels.
        instances: B images with `gt_boxes` and `gt_classes`.
        num_classes: K.
        centers: B times (N, 2), (x, y) in pixels, nan for an object that no location may answer for; None: of the
            boxes.
        level_ranges: L times (low, high) in pixels, both inclusive.
        radius: of centre sampling in strides.
    """
    if not len(locations) == len(strides) == len(level_ranges):
        raise ValueError(
            f"{len(locations)} levels, {len(strides)} strides and {len(level_ranges)} ranges: give one each"
        )
    points = torch.cat(list(locations))
    counts = [len(level) for level in locations]
    stride = torch.cat([points.new_full((n,), float(s)) for n, s in zip(counts, strides)])
    limits = torch.cat([points.new_tensor(r).expand(n, 2) for n, r in zip(counts, level_ranges)])
    per_image, offset = [], 0
    for b, image in enumerate(instances):
        center = image.gt_boxes.get_centers() if centers is None else centers[b]
        label, ltrb, index = _image_targets(points, stride, limits, image, center, num_classes, radius)
        per_image.append((label, ltrb, torch.where(index >= 0, index + offset, index)))
        offset += len(image)
    labels, ltrb, gt_index = (_level_major(parts, counts) for parts in zip(*per_image))
    images = [torch.full_like(label, b) for b, (label, _, _) in enumerate(per_image)]
    levels = torch.cat([torch.full((n,), k, dtype=torch.int64, device=points.device) for k, n in enumerate(counts)])
    return FCOSTargets(
        labels=labels, ltrb=ltrb, gt_index=gt_index, image_index=_level_major(images, counts),
        level=_level_major([levels] * len(instances), counts),
        locations=_level_major([points] * len(instances), counts), num_classes=num_classes,
    )


def _image_targets(
    points: Tensor, stride: Tensor, limits: Tensor, image: Instances, center: Tensor, num_classes: int, radius: float
) -> tuple[Tensor, Tensor, Tensor]:
    """label (m,), ltrb (m, 4) in strides and object (m,) of the m locations of one image."""
    background = (
        torch.full((len(points),), num_classes, dtype=torch.int64, device=points.device),
        points.new_zeros((len(points), 4)),
        torch.full((len(points),), -1, dtype=torch.int64, device=points.device),
    )
    if len(image) == 0:
        return background
    boxes = image.gt_boxes.tensor
    ltrb = torch.cat((points[:, None] - boxes[None, :, :2], boxes[None, :, 2:] - points[:, None]), dim=2)  # (m, N, 4)
    reach = (radius * stride)[:, None, None]
    near = ((points[:, None] - center[None]).abs() < reach).all(dim=2)  # nan is never near
    largest = ltrb.amax(dim=2)
    fits = (largest >= limits[:, None, 0]) & (largest <= limits[:, None, 1])
    area = image.gt_boxes.area()[None].expand(len(points), -1)
    area = torch.where((ltrb.amin(dim=2) > 0) & near & fits, area, torch.inf)
    smallest, index = area.min(dim=1)
    positive = torch.isfinite(smallest)
    chosen = ltrb[torch.arange(len(points), device=points.device), index] / stride[:, None]
    return (
        torch.where(positive, image.gt_classes[index], background[0]),
        torch.where(positive[:, None], chosen, background[1]),
        torch.where(positive, index, background[2]),
    )


def _level_major(per_image: Sequence[Tensor], counts: Sequence[int]) -> Tensor:
    """B tensors over the locations of one image -> one over all, levels slowest."""
    by_level = zip(*(values.split(list(counts)) for values in per_image))
    return torch.cat([part for level in by_level for part in level])


def mask_centers(masks: Tensor) -> Tensor:
    """Centres of mass, in indices of pixels.

    Args:
        masks: (N, H, W), non-zero inside.

    Returns:
        float32 (N, 2) of (x, y); nan for a mask without a pixel.
    """
    masks = (masks != 0).float()
    columns = torch.arange(masks.shape[2], dtype=torch.float32, device=masks.device)
    rows = torch.arange(masks.shape[1], dtype=torch.float32, device=masks.device)
    pixels = masks.sum(dim=(1, 2))
    x = (masks.sum(dim=1) * columns).sum(dim=1) / pixels
    y = (masks.sum(dim=2) * rows).sum(dim=1) / pixels
    return torch.stack((x, y), dim=1)


def answering_rows(
    sizes: Sequence[Sequence[int]],
    strides: Sequence[int],
    level_ranges: Sequence[tuple[float, float]],
    boxes: Tensor,
    centers: Tensor,
) -> Tensor:
    """The one cell that answers best for each object of an image: of its level the cell nearest to its centre.

    Args:
        sizes: L times (H, W) of the maps.
        strides: L strides in pixels.
        level_ranges: of `fcos_targets`.
        boxes: (N, 4) xyxy in pixels.
        centers: (N, 2) of (x, y) in pixels; nan takes the centre of the box.

    Returns:
        int64 (N,): rows of `flatten_levels` of maps of one image.
    """
    centers = torch.where(centers.isfinite(), centers, (boxes[:, :2] + boxes[:, 2:]) / 2)
    largest = torch.cat((centers - boxes[:, :2], boxes[:, 2:] - centers), dim=1).amax(dim=1)
    ends = boxes.new_tensor([high for _, high in level_ranges[:-1]])
    level = torch.searchsorted(ends, largest.contiguous())  # the first level whose range reaches so far
    grid = torch.as_tensor([(width, height) for height, width in sizes], device=boxes.device)
    first = (grid.prod(dim=1).cumsum(0) - grid.prod(dim=1))[level]
    # cell j lies at stride * j + stride // 2 and is the nearest from half a stride before to half a stride behind
    stride = torch.as_tensor(strides, device=boxes.device)[level][:, None]
    cell = torch.minimum((centers / stride).floor().long().clamp(min=0), grid[level] - 1)
    return first + cell[:, 1] * grid[level, 0] + cell[:, 0]
