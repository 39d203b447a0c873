"""What STMask remembers of each object beside looks and place: score, mask coefficients and mask."""

import torch
from detectron2.structures import Instances
from torch import Tensor

from vis_projects.tracking import TrackMemory


class ShiftedMemory(TrackMemory):
    """A memory whose boxes, coefficients and masks are carried from frame to frame.

    Boxes are fractions of the padded image. An object that the detector finds again is overwritten as a whole, never
    averaged.

    Attributes:
        scores: (m,) float32, decayed by each shift.
        coefficients: (m, K) float32, before the tanh.
        masks: (m, h, w) float32, soft, zero outside the box, at the prototypes' resolution.
    """

    ROW_NAMES = (*TrackMemory.ROW_NAMES, "scores", "coefficients", "masks")

    def __init__(self) -> None:
        super().__init__()
        self.scores = torch.zeros(0)
        self.coefficients = torch.zeros(0, 0)
        self.masks = torch.zeros(0, 0, 0)

    def start(self, found: Instances, frame: int) -> Tensor:
        """Remembers k new objects and returns their ids, (k,) int64.

        Args:
            found: with `padded_boxes`, `scores`, `pred_classes`, `track_embeddings`, `mask_coefficients`, `mask_probs`.
            frame: index of the frame they were seen in.
        """
        if len(self) == 0 and len(found) > 0:
            # an empty memory knows neither K nor the size of a mask yet
            self.coefficients = self.coefficients.new_zeros(0, found.mask_coefficients.shape[1])
            self.masks = self.masks.new_zeros(0, *found.mask_probs.shape[1:])
        ids = self.append(found.track_embeddings, found.padded_boxes, found.pred_classes, frame)
        if len(found) > 0:
            self.scores = torch.cat([self.scores, found.scores.float()])
            self.coefficients = torch.cat([self.coefficients, found.mask_coefficients.float()])
            self.masks = torch.cat([self.masks, found.mask_probs.float()])
        return ids

    def overwrite(self, slots: Tensor, found: Instances, frame: int) -> Tensor:
        """Replaces k objects by their latest sight and returns their ids, (k,) int64.

        Args:
            slots: (k,) int64, each at most once.
            found, frame: as of `start`.
        """
        if slots.numel() == 0:
            return slots.new_zeros(0)
        self.scores = self.scores.index_copy(0, slots, found.scores.float())
        self.coefficients = self.coefficients.index_copy(0, slots, found.mask_coefficients.float())
        self.masks = self.masks.index_copy(0, slots, found.mask_probs.float())
        return self.refresh(slots, found.track_embeddings, found.padded_boxes, found.pred_classes, frame)

    def see(self, slots: Tensor, frame: int) -> Tensor:
        """Notes that k objects were seen, without taking anything over, and returns their ids, (k,) int64."""
        self.last_seen = self.last_seen.index_fill(0, slots, frame)
        return self.ids[slots]

    def shift(self, boxes: Tensor, coefficients: Tensor, masks: Tensor, decay: float) -> None:
        """Moves all m objects to the next frame; classes and embeddings stay.

        Args:
            boxes, coefficients, masks: as the attributes, in the next frame.
            decay: factor on the scores.
        """
        self.boxes = boxes.float()
        self.coefficients = coefficients.float()
        self.masks = masks.float()
        self.scores = self.scores * decay
