"""What the modulators see of an object: a crop of it, and where it was as a Gaussian.

Letters: N objects, B frames, H, W size of the frames, S side of a crop. Pixel k of a row lies at x = k. A location is
(centre x, centre y, spread x, spread y) in pixels; spread 0 says that the object was nowhere.
"""

import math
from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional as F

MAD_TO_STD = 1.4826  # the standard deviation of a normal distribution in median absolute deviations
LOCATIONS = ("median", "mean")


def locate(masks: Tensor, mode: str = "median", min_std: float = 5.0) -> Tensor:
    """Centre and spread of each mask.

    Args:
        masks: (N, H, W) bool.
        mode: "median": median of the pixels' x and y, and 1.4826 times the median distance from it; of two middle
            values the smaller is taken. "mean": mean and standard deviation.
        min_std: least spread in pixels.

    Returns:
        (N, 4) float32 locations; zeros for an empty mask.
    """
    axes = []
    for dim in (1, 2):  # pixels per column, then per row
        counts = masks.sum(dim=dim, dtype=torch.int32).float()  # 64 bit, the default, takes ten times as long
        axes.append(_median_axis(counts) if mode == "median" else _mean_axis(counts))
    (center_x, std_x), (center_y, std_y) = axes
    location = torch.stack([center_x, center_y, std_x.clamp(min=min_std), std_y.clamp(min=min_std)], dim=1)
    return location * (counts > 0).any(dim=1)[:, None]


def _mean_axis(counts: Tensor) -> tuple[Tensor, Tensor]:
    """(N,) mean and standard deviation of positions 0, 1, ... that occur `counts` (N, L) times."""
    positions = torch.arange(counts.shape[1], device=counts.device, dtype=counts.dtype)
    total = counts.sum(dim=1).clamp(min=1)
    mean = (counts * positions).sum(dim=1) / total
    variance = (counts * (positions - mean[:, None]).square()).sum(dim=1) / total
    return mean, variance.sqrt()


def _median_axis(counts: Tensor) -> tuple[Tensor, Tensor]:
    """(N,) median and scaled median distance from it, of the same positions."""
    positions = torch.arange(counts.shape[1], device=counts.device, dtype=counts.dtype).expand_as(counts)
    median = _weighted_median(positions, counts)
    distances, order = (positions - median[:, None]).abs().sort(dim=1, stable=True)
    return median, MAD_TO_STD * _weighted_median(distances, counts.gather(1, order))


def _weighted_median(values: Tensor, counts: Tensor) -> Tensor:
    """The value at which half of the counts is reached; values (N, L) ascend."""
    reached = counts.cumsum(dim=1) * 2 >= counts.sum(dim=1, keepdim=True).clamp(min=1)
    return values.gather(1, reached.int().argmax(dim=1, keepdim=True))[:, 0]


def jitter_locations(locations: Tensor, center: float, std: float) -> Tensor:
    """Training: moves each centre by up to `center` spreads, changes each spread by up to 1 + `std` or its inverse."""
    places, spreads = locations.split(2, dim=1)
    shift = torch.rand_like(places) * 2 - 1
    smallest, largest = 1 / (1 + std), 1 + std
    factor = smallest + torch.rand_like(spreads) * (largest - smallest)
    return torch.cat([places + center * shift * spreads, spreads * factor], dim=1)


def heat_maps(locations: Tensor, size: tuple[int, int], strides: Sequence[int]) -> list[Tensor]:
    """The spatial guide: exp(-dx^2 / (2 sx^2) - dy^2 / (2 sy^2)), averaged over squares of each stride.

    The Gaussian is a product of a row and a column, and so is its average: no map of full size is made.

    Args:
        locations: (N, 4).
        size: (H, W), multiples of the strides.
        strides: side of the squares.

    Returns:
        per stride float (N, 1, H / stride, W / stride); 0 everywhere for an object that was nowhere.
    """
    rows = _bell(locations[:, 1], locations[:, 3], size[0])
    columns = _bell(locations[:, 0], locations[:, 2], size[1])
    maps = []
    for stride in strides:
        down, along = (axis.unflatten(1, (-1, stride)).mean(dim=2) for axis in (rows, columns))
        maps.append((down[:, :, None] * along[:, None, :])[:, None])
    return maps


def _bell(center: Tensor, std: Tensor, length: int) -> Tensor:
    """(N, length) one axis of the Gaussian."""
    positions = torch.arange(length, device=center.device, dtype=center.dtype)
    known = std > 0
    exponent = (positions - center[:, None]) / torch.where(known, std, 1.0)[:, None]
    return torch.exp(-0.5 * exponent.square()) * known[:, None]


def crop_boxes(masks: Tensor, pad: float) -> Tensor:
    """The box of each mask with a rim, as centre and half sides; the whole frame for an empty mask.

    Args:
        masks: (N, H, W) bool.
        pad: rim on each side as a fraction of the box's side.

    Returns:
        (N, 4) float32: centre x, centre y, half width, half height, with pixel edges at whole numbers.
    """
    height, width = masks.shape[1:]
    starts_x, ends_x = _extent(masks.any(dim=1))
    starts_y, ends_y = _extent(masks.any(dim=2))
    starts, ends = torch.stack([starts_x, starts_y], dim=1), torch.stack([ends_x, ends_y], dim=1)
    empty = ~masks.flatten(1).any(dim=1)
    whole = starts.new_tensor([width, height])
    starts, ends = torch.where(empty[:, None], 0.0, starts), torch.where(empty[:, None], whole, ends)
    return torch.cat([(starts + ends) / 2, (0.5 + pad) * (ends - starts)], dim=1)


def mask_boxes(masks: Tensor) -> Tensor:
    """(N, 4) float32 xyxy box of each (N, H, W) bool mask, pixel edges at whole numbers; zeros for an empty mask."""
    centers, halves = crop_boxes(masks, 0.0).split(2, dim=1)
    return torch.cat([centers - halves, centers + halves], dim=1) * masks.flatten(1).any(dim=1)[:, None]


def _extent(hit: Tensor) -> tuple[Tensor, Tensor]:
    """First position of each (N, L) row that is hit, and the one behind the last."""
    start = hit.int().argmax(dim=1)
    end = hit.shape[1] - hit.flip(1).int().argmax(dim=1)
    return start.float(), end.float()


def jitter_crops(boxes: Tensor, crop: float) -> Tensor:
    """Training: cuts up to `crop` of a box's side off one of its four edges.

    Args:
        boxes: (N, 4) centre and half sides.
        crop: largest part.
    """
    centers, halves = boxes.split(2, dim=1)
    edge = torch.randint(0, 4, (len(boxes),), device=boxes.device)
    cut = crop * torch.rand(len(boxes), device=boxes.device)
    along = F.one_hot(edge % 2, 2).to(boxes.dtype) * cut[:, None] * halves
    sign = (edge < 2).to(boxes.dtype)[:, None] * 2 - 1
    return torch.cat([centers + sign * along, halves - along], dim=1)


def crop_guides(
    images: Tensor, masks: Tensor, boxes: Tensor, size: int, *, angles: Tensor | None = None,
    mirrored: Tensor | None = None,
) -> Tensor:
    """The visual guide: the object alone, stretched to a square, on the mean colour.

    Args:
        images: (N, 3, H, W) normalised, so that the mean colour is 0; may be an expanded view.
        masks: (N, H, W) bool.
        boxes: (N, 4) of `crop_boxes`.
        size: S.
        angles: (N,) rotation within the square in radians; None: none.
        mirrored: (N,) bool, left and right exchanged; None: none.

    Returns:
        float (N, 3, S, S).
    """
    count, _, height, width = images.shape
    cos = torch.ones(count, device=boxes.device) if angles is None else angles.cos()
    sin = torch.zeros(count, device=boxes.device) if angles is None else angles.sin()
    flip = torch.ones(count, device=boxes.device) if mirrored is None else 1.0 - 2.0 * mirrored.float()
    # from the square's coordinates in [-1, 1] to the frame's: first mirror, then turn, stretch, move
    x, y, half_x, half_y = boxes.unbind(1)
    to_x = torch.stack([half_x * cos * flip, -half_x * sin, x - width / 2], dim=1) / (width / 2)
    to_y = torch.stack([half_y * sin * flip, half_y * cos, y - height / 2], dim=1) / (height / 2)
    grid = F.affine_grid(torch.stack([to_x, to_y], dim=1), (count, 1, size, size), align_corners=False)
    inside = F.grid_sample(masks[:, None].float(), grid, align_corners=False) >= 0.5
    return F.grid_sample(images.float(), grid, align_corners=False) * inside


def random_angles(count: int, largest_deg: float, device: torch.device) -> Tensor:
    """(count,) angles in radians, uniform up to the largest in both directions."""
    return (torch.rand(count, device=device) * 2 - 1) * math.radians(largest_deg)
