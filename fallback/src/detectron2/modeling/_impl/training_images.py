"""Pictures that the models put into the event storage while they train."""

import numpy as np
from PIL import Image, ImageDraw

from detectron2.utils.events import get_event_storage

# More boxes than these would hide the image.
_MAX_BOXES = 20
_TRUTH_COLOR = (0, 200, 0)
_PREDICTED_COLOR = (255, 64, 0)


def store_proposals(batched_inputs, proposals, input_format):
    """Stores the first image twice, side by side: with ground truth and with proposals.

    Args:
        batched_inputs: dicts with "image" (C, H, W) and "instances" with `gt_boxes`.
        proposals: for each image, Instances with `proposal_boxes`, best first.
        input_format: channel order of the images.
    """
    truth, found = _drawn(batched_inputs[0], proposals[0].proposal_boxes, input_format)
    pair = np.concatenate((truth, found), axis=1)
    _store("Left: GT bounding boxes;  Right: Predicted proposals", pair)


def store_detections(batched_inputs, results, input_format):
    """Stores the first image twice, one above the other: with ground truth and results.

    Args:
        batched_inputs: dicts with "image" (C, H, W) and "instances" with `gt_boxes`.
        results: for each image, Instances with `pred_boxes` of any size, best first.
        input_format: channel order of the images.
    """
    item, (height, width) = batched_inputs[0], results[0].image_size
    boxes = results[0].pred_boxes.clone()
    boxes.scale(item["image"].shape[2] / width, item["image"].shape[1] / height)
    pair = np.concatenate(_drawn(item, boxes, input_format), axis=0)
    _store(f"Top: GT bounding boxes; Bottom: {_MAX_BOXES} Highest Scoring Results", pair)


def _store(title, image):
    get_event_storage().put_image(title, image.transpose(2, 0, 1))


def _drawn(item, boxes, input_format):
    """The image with its ground truth and the image with the boxes, uint8 RGB (H, W, 3)."""
    # The data package is not needed to run a model, only to show one.
    from detectron2.data.detection_utils import convert_image_to_rgb

    image = convert_image_to_rgb(item["image"].permute(1, 2, 0), input_format)
    image = np.clip(np.asarray(image), 0, 255).astype(np.uint8)
    truth = item["instances"].gt_boxes.tensor
    return _with_boxes(image, truth, _TRUTH_COLOR), _with_boxes(image, boxes.tensor[:_MAX_BOXES], _PREDICTED_COLOR)


def _with_boxes(image, boxes, color):
    """A copy of the uint8 RGB image (H, W, 3) with outlines of the XYXY boxes."""
    canvas = Image.fromarray(np.ascontiguousarray(image))
    pen = ImageDraw.Draw(canvas)
    for box in boxes.detach().cpu().tolist():
        pen.rectangle(box, outline=color, width=2)
    return np.asarray(canvas)
