"""One detection pass for many trackers: the same frames get the very same detections."""

import hashlib

import torch
from detectron2.structures import Instances
from torch import nn

from vis_projects.modeling import OnlineVISModel


class DetectOnce(nn.Module):
    """Stands as a detector in `TrackByDetection` and remembers what it found in each frame.

    Detections keep every field that the model's own tracker would get, so that tracker can stand behind it too.
    """

    def __init__(self, model: OnlineVISModel) -> None:
        """
        Args:
            model: finds the objects of a frame without knowing the frames before.
        """
        super().__init__()
        self.model = model
        self.calls = 0
        self._found: dict[str, Instances] = {}

    def forward(self, items: list[dict]) -> list[dict]:
        """Frames as stock models take them to dicts with `instances`."""
        return [{"instances": self._detect(item)} for item in items]

    def _detect(self, item: dict) -> Instances:
        key = hashlib.sha256(item["image"].cpu().numpy().tobytes()).hexdigest()
        if key not in self._found:
            self.calls += 1
            with torch.no_grad():
                images = self.model._preprocess_frame(item["image"])
                self._found[key] = self.model.detect(images, self.model.init_state(item))
        found = self._found[key]
        return Instances(found.image_size, **found.get_fields())
