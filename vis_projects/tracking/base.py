"""The interface of every tracker."""

from abc import ABC, abstractmethod

from detectron2.structures import Instances


class Tracker(ABC):
    """Gives the detections of one video their ids, frame by frame.

    One object serves one video: it is made when the video starts and belongs to whoever made it.

    Ids are int64, count up from 0, never change and are never reused within a video; -1 means
    "no id" and is not given to a row that is returned.
    """

    @abstractmethod
    def update(self, instances: Instances) -> Instances:
        """Takes the next frame's detections and returns those that keep a place, with ids.

        Args:
            instances: detections of one frame in output coordinates (pixels, xyxy): ``pred_boxes``
                (Boxes), ``scores`` (n,) in [0, 1], ``pred_classes`` (n,) int64, and whatever else
                the tracker asks for. Not modified.

        Returns:
            The kept rows in the order of the input, with all their fields and ``pred_ids`` (n',)
            int64, each id at most once.
        """
