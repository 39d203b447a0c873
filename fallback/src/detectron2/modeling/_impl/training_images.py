"""Pictures that the models put into the event storage while they train."""

import numpy as np
from PIL import Image, ImageDraw

from detectron2.utils.events import get_event_storage

# More boxes than these would hide the image.
_MAX_BOXES = 20
_TRUTH_COLOR = (0, 200, 0)
_PREDICTED_COLOR = (255, 64, 0)


def store_proposals(batched_inputs, proposals, input_format):
    """Stores the first image twice: with its ground truth and with its best proposals.

    Args:
        batched_inputs: dicts with "image" (C, H, W) and "instances" with `gt_boxes`.
        proposals: for each image, Instances with `proposal_boxes`, best first.
        input_format: channel order of the images.
    """
    best = proposals[0].proposal_boxes.tensor[:_MAX_BOXES]
    _store_pair(batched_inputs[0], best, input_format)


def _store_pair(item, boxes, input_format):
    # The data package is not needed to run a model, only to show one.
    from detectron2.data.detection_utils import convert_image_to_rgb

    image = convert_image_to_rgb(item["image"].permute(1, 2, 0), input_format)
    image = np.clip(np.asarray(image), 0, 255).astype(np.uint8)
    truth = _with_boxes(image, item["instances"].gt_boxes.tensor, _TRUTH_COLOR)
    found = _with_boxes(image, boxes, _PREDICTED_COLOR)
    title = "Left: GT bounding boxes;  Right: Predicted proposals"
    get_event_storage().put_image(title, np.concatenate((truth, found), axis=1).transpose(2, 0, 1))


def _with_boxes(image, boxes, color):
    """A copy of the uint8 RGB image (H, W, 3) with outlines of the XYXY boxes."""
    canvas = Image.fromarray(np.ascontiguousarray(image))
    pen = ImageDraw.Draw(canvas)
    for box in boxes.detach().cpu().tolist():
        pen.rectangle(box, outline=color, width=2)
    return np.asarray(canvas)
