"""From the network's input size back to the size that the user asked for."""

import torch.nn.functional as F

from detectron2.structures import Instances, ROIMasks


def detector_postprocess(results: Instances, output_height: int, output_width: int, mask_threshold: float = 0.5):
    """Scales detections to another image size and pastes their masks.

    Boxes are scaled, clipped to the new size and dropped where nothing is left. The
    boxes of the input change too: both results hold the same Boxes.

    Args:
        results: Instances with `pred_boxes` or `proposal_boxes`, and optionally
            `pred_masks` (ROIMasks, or float (N, 1, M, M) probabilities on the boxes) and
            `pred_keypoints` (N, K, 3).
        output_height: in pixels.
        output_width: in pixels.
        mask_threshold: probability from which a pixel belongs to the mask; see
            `paste_masks_in_image`.

    Returns:
        Instances of the size (output_height, output_width); `pred_masks` is bool
        (N, output_height, output_width).

    Raises:
        AssertionError: when there are no boxes.
    """
    in_height, in_width = results.image_size
    # As floats, so that sizes given as tensors divide like numbers.
    scale_x, scale_y = float(output_width) / in_width, float(output_height) / in_height
    out = Instances((output_height, output_width), **results.get_fields())
    name = next((n for n in ("pred_boxes", "proposal_boxes") if out.has(n)), None)
    assert name is not None, f"detections need pred_boxes or proposal_boxes; there is {sorted(out.get_fields())}"
    boxes = out.get(name)
    boxes.scale(scale_x, scale_y)
    boxes.clip(out.image_size)
    out = out[boxes.nonempty()]

    if out.has("pred_masks"):
        masks = out.pred_masks if isinstance(out.pred_masks, ROIMasks) else ROIMasks(out.pred_masks[:, 0])
        bitmasks = masks.to_bitmasks(out.pred_boxes, output_height, output_width, mask_threshold)
        out.pred_masks = bitmasks.tensor
    if out.has("pred_keypoints"):
        out.pred_keypoints[:, :, 0] *= scale_x
        out.pred_keypoints[:, :, 1] *= scale_y
    return out


def sem_seg_postprocess(result, img_size, output_height, output_width):
    """Cuts the padding off a score map and resizes it bilinearly.

    Args:
        result: float (C, H, W) on the padded image.
        img_size: (height, width) of the image without padding, in pixels.
        output_height: in pixels.
        output_width: in pixels.

    Returns:
        float (C, output_height, output_width).
    """
    height, width = img_size
    inner = result[:, :height, :width].expand(1, -1, -1, -1)
    size = (output_height, output_width)
    return F.interpolate(inner, size=size, mode="bilinear", align_corners=False)[0]
