"""The interface of every online tracker."""

from abc import ABC, abstractmethod

from detectron2.config import CfgNode
from detectron2.structures import Instances
from torch import Tensor


class Tracker(ABC):
    """Gives the detections of one video their ids, frame by frame.

    One object serves one video: it is made when the video starts and belongs to whoever made it.

    Ids are int64, count up from 0, never change and are never reused within a video; -1 means
    "no id" and is not given to a row that is returned.

    Attributes:
        needs_frame: the tracker looks at the picture, not at the detections alone: ``see`` is called
            with each frame before ``update``.
    """

    needs_frame = False

    @classmethod
    def network_arch(cls, cfg: CfgNode) -> str:
        """Class of ``META_ARCH_REGISTRY`` that the tracker's own network is; "" where it has none.

        A tracker that names one is built as ``Class(cfg, network=network)``; the network is shared by
        all videos and not changed by any.
        """
        return ""

    def see(self, frame: Tensor) -> None:
        """Hands over the frame that the next ``update`` is about; only called where ``needs_frame``.

        Args:
            frame: (C, h, w) uint8 at the size and in the channel order of the detector's input.
        """
        raise NotImplementedError(f"{type(self).__name__} has needs_frame set and no `see`")

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
