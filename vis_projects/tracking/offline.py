"""The interface of every tracker that wants the whole video first."""

from abc import ABC, abstractmethod
from collections.abc import Sequence

from detectron2.structures import Instances


class OfflineTracker(ABC):
    """Gives the detections of a whole video their ids at once.

    One object serves one video. Registered in ``TRACKER_REGISTRY`` beside the online trackers; only a
    model that keeps a video's detections until its end can use it.
    """

    @abstractmethod
    def track(self, frames: Sequence[Instances]) -> list[Instances]:
        """Takes all detections of a video and returns those that belong to a track, with ids.

        Args:
            frames: one ``Instances`` per frame, in order, in output coordinates: ``pred_boxes`` (xyxy in
                pixels), ``scores`` (n,) in [0, 1], ``pred_classes`` (n,) int64. Not modified.

        Returns:
            One ``Instances`` per frame: its kept rows in the order of the input, with all their fields
            and ``pred_ids`` (n',) int64, each id at most once in a frame.
        """
