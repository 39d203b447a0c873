"""All detections of a video, with masks as RLE, for a tracker that wants the whole video first."""

from collections.abc import Iterator

import torch
from detectron2.structures import Instances

from vis_projects.layers import rle_decode, rle_encode

FIELDS = ("pred_boxes", "scores", "pred_classes")


class VideoDetections:
    """Detections frame after frame. A frame costs its RLEs, not its pixels, and nothing of it stays on a GPU."""

    def __init__(self) -> None:
        self._frames: list[Instances] = []
        self._masks: list[list[dict]] = []

    def __len__(self) -> int:
        return len(self._frames)

    def append(self, detections: Instances) -> None:
        """Enters the next frame: ``pred_boxes``, ``scores``, ``pred_classes`` and ``pred_masks`` (n, H, W) bool."""
        kept = Instances(detections.image_size, **{name: detections.get(name).to("cpu") for name in FIELDS})
        kept.rows = torch.arange(len(detections))
        self._frames.append(kept)
        self._masks.append(rle_encode(detections.pred_masks))

    def tracked_by(self, tracker: object) -> Iterator[Instances]:
        """The instances of each frame that an ``OfflineTracker`` keeps, with ids and with masks again, on the CPU.

        One frame's masks are held at a time.
        """
        for masks, instances in zip(self._masks, tracker.track(self._frames), strict=True):
            chosen = [masks[row] for row in instances.rows.tolist()]
            frame = Instances(instances.image_size, **{name: instances.get(name) for name in FIELDS})
            frame.pred_masks = rle_decode(chosen) if chosen else torch.zeros(0, *instances.image_size, dtype=torch.bool)
            frame.pred_ids = instances.pred_ids
            yield frame
