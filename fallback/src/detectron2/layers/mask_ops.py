"""Pasting of box-relative masks into whole images."""

import torch
import torch.nn.functional as F

__all__ = ["paste_masks_in_image"]

# Float32 samples that may be alive at once on a GPU: 1 GiB.
_MAX_SAMPLES = 1024**3 // 4


def paste_masks_in_image(
    masks: torch.Tensor, boxes: torch.Tensor, image_shape: tuple[int, int], threshold: float = 0.5
):
    """Resample N square masks into their boxes on images of a given size.

    The value of a pixel is the bilinear sample of the mask at the pixel's centre, 0 outside of the mask.

    Args:
        masks: N x M x M in [0, 1].
        boxes: ``Boxes`` or an N x 4 tensor, XYXY_ABS.
        image_shape: (height, width) in pixels.
        threshold: result is value >= threshold; when negative it is the value itself, scaled to 0..255.

    Returns:
        N x height x width, bool, or uint8 for a negative threshold (and when there are no masks).

    Raises:
        AssertionError: masks are not square, or not one box for each.
    """
    assert masks.shape[-1] == masks.shape[-2], f"masks must be square, got {tuple(masks.shape)}"
    count = len(masks)
    height, width = int(image_shape[0]), int(image_shape[1])
    if count == 0:
        return masks.new_empty((0, height, width), dtype=torch.uint8)
    boxes = getattr(boxes, "tensor", boxes)
    assert len(boxes) == count, f"{len(boxes)} boxes for {count} masks"
    if not masks.is_floating_point():
        masks = masks.float()
    kind = torch.bool if threshold >= 0 else torch.uint8
    pasted = torch.zeros(count, height, width, device=masks.device, dtype=kind)
    # A box without area has no coordinates inside (0 / 0); its mask is empty.
    solid = (boxes[:, :2] != boxes[:, 2:]).all(dim=1)
    if masks.device.type == "cpu":
        # One mask at a time inside its own window: most of an image is outside of a box.
        for index in solid.nonzero()[:, 0].tolist():
            top, bottom, left, right = _window(boxes[index], height, width)
            if top < bottom and left < right:
                one = slice(index, index + 1)
                values = _sample(masks[one], boxes[one], (top, bottom), (left, right))
                pasted[one, top:bottom, left:right] = _decide(values, threshold)
        return pasted
    step = max(1, _MAX_SAMPLES // max(1, height * width))
    for chosen in solid.nonzero()[:, 0].split(step):
        values = _sample(masks[chosen], boxes[chosen], (0, height), (0, width))
        pasted[chosen] = _decide(values, threshold)
    return pasted


def _window(box, height, width):
    """Return (top, bottom, left, right) pixels that a box touches, with a margin of one, limited to the image."""
    x0, y0, x1, y1 = box.tolist()
    low = torch.tensor([y0, x0]).floor().long() - 1
    high = torch.tensor([y1, x1]).ceil().long() + 1
    top, left = low.clamp(min=0).tolist()
    return top, min(int(high[0]), height), left, min(int(high[1]), width)


def _sample(masks, boxes, rows, columns):
    """Sample masks at the centres of the pixels of rows x columns; gives N x rows x columns."""
    x0, y0, x1, y1 = boxes.split(1, dim=1)
    y = torch.arange(*rows, device=masks.device, dtype=torch.float32) + 0.5
    x = torch.arange(*columns, device=masks.device, dtype=torch.float32) + 0.5
    # grid_sample wants coordinates in [-1, 1] over the mask.
    y = (y - y0) / (y1 - y0) * 2 - 1
    x = (x - x0) / (x1 - x0) * 2 - 1
    shape = (len(masks), y.shape[1], x.shape[1])
    grid = torch.stack((x[:, None, :].expand(shape), y[:, :, None].expand(shape)), dim=3)
    return F.grid_sample(masks[:, None], grid.to(masks.dtype), align_corners=False)[:, 0]


def _decide(values, threshold):
    return values >= threshold if threshold >= 0 else (values * 255).to(torch.uint8)
