"""The objects of a reference frame, as the track head learns to find them again."""

from dataclasses import dataclass

import torch
from detectron2.structures import Boxes, Instances
from torch import Tensor

from vis_projects.modeling import positions_of


@dataclass
class References:
    """N objects of one image's reference frame.

    Attributes:
        looks: (N, ...), see ``describe`` of the track head.
        boxes: N, in the reference frame.
        key_boxes: (N, 4), in the current frame; of an absent object anything.
        present: (N,) bool, whether the object is in the current frame.
    """

    looks: Tensor
    boxes: Boxes
    key_boxes: Tensor
    present: Tensor

    @classmethod
    def of(cls, looks: Tensor, reference: Instances, key: Instances) -> "References":
        """From the ground truth of both frames, by ``gt_ids``."""
        places = positions_of(reference.gt_ids, key.gt_ids)
        present = places >= 0
        key_boxes = torch.zeros_like(reference.gt_boxes.tensor)
        key_boxes[present] = key.gt_boxes.tensor[places[present]]
        return cls(looks, reference.gt_boxes, key_boxes, present)
