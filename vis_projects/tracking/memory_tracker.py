"""What trackers with an external memory share: births, sights, memory and ids (Video Instance Segmentation, 5.4)."""

from abc import abstractmethod
import torch
from detectron2.structures import Instances
from torch import Tensor

from vis_projects.tracking.assignment import NEW_TRACK, assign_best
from vis_projects.tracking.base import Tracker
from vis_projects.tracking.memory import TrackMemory

MEMORY_LABELS = ("first", "latest")


class MemoryTracker(Tracker):
    """Gives each detection its best remembered track, or starts a new one.

    A subclass says how well detections and tracks fit (``scores``) and what the memory keeps of a detection's look
    (``looks``). Of several detections that take one track the best score keeps it and the others are dropped.

    Attributes:
        section: of the config, for errors.
        required_fields: what detections must have.
        memory: what is known of the tracks so far.
    """

    section = "MODEL"
    required_fields: tuple[str, ...] = ("pred_boxes", "scores", "pred_classes")

    def __init__(self, *, memory_label: str = "first", retain_frames: int = 0) -> None:
        """
        Args:
            memory_label: the class a track remembers is its "first" or its "latest".
            retain_frames: a track can be found again up to this many frames after it was last seen; 0: for ever, so
                the memory grows by one row per track.
        """
        if memory_label not in MEMORY_LABELS:
            raise ValueError(f"{self.section}.MEMORY_LABEL is {memory_label!r}; choose from {MEMORY_LABELS}")
        if retain_frames < 0:
            raise ValueError(
                f"{self.section}.RETAIN_FRAMES is {retain_frames}; give a number of frames, or 0 to keep tracks for "
                "ever"
            )
        self.memory_label = memory_label
        self.retain_frames = retain_frames
        self.memory = TrackMemory()
        self._frame = -1

    @abstractmethod
    def scores(self, instances: Instances) -> Tensor:
        """(n, 1 + m) scores of a frame's detections: "new object", then the m tracks of the memory, which may be none.

        nan or inf in a row stands for a fault of the weights or the input.
        """

    @abstractmethod
    def looks(self, instances: Instances) -> Tensor:
        """(n, ...) float: what the memory keeps of each detection beside box and class."""

    def renewed(self, slots: Tensor, looks: Tensor) -> Tensor:
        """What the memory keeps of tracks that are seen again, of k slots and their new looks: the new looks alone."""
        return looks

    def recall(self) -> TrackMemory:
        """The memory that the next frame is matched against, without the tracks that are too old by then."""
        if self.retain_frames > 0:
            self.memory.forget_unseen_since(self._frame - self.retain_frames)
        return self.memory

    def update(self, instances: Instances) -> Instances:
        """See ``Tracker.update``. Rows that lose a conflict for a track are dropped.

        Raises:
            KeyError: a field of ``required_fields`` is missing.
            FloatingPointError: a matching score is inf or nan.
        """
        missing = [name for name in self.required_fields if not instances.has(name)]
        if missing:
            raise KeyError(f"{type(self).__name__} needs the fields {missing} of the detections")
        self.recall()
        self._frame += 1
        columns = torch.from_numpy(assign_best(self.scores(instances).cpu().numpy()))
        columns = columns.to(instances.scores.device)
        kept = instances[columns >= 0]
        kept.pred_ids = self.remember(kept, columns[columns >= 0])
        return kept

    def remember(self, kept: Instances, columns: Tensor) -> Tensor:
        """Writes the rows into the memory.

        Args:
            kept: n detections.
            columns: (n,) int64, ``NEW_TRACK`` or 1 + the slot of the memory.

        Returns:
            (n,) int64: the ids of the rows.
        """
        looks, boxes, labels = self.looks(kept), kept.pred_boxes.tensor, kept.pred_classes
        ids = torch.full_like(columns, -1)
        is_new = columns == NEW_TRACK
        seen = ~is_new
        slots = columns[seen] - 1
        if len(slots) > 0:
            seen_labels = labels[seen] if self.memory_label == "latest" else None
            ids[seen] = self.memory.refresh(
                slots, self.renewed(slots, looks[seen]), boxes[seen], seen_labels, self._frame
            )
        ids[is_new] = self.memory.append(looks[is_new], boxes[is_new], labels[is_new], self._frame)
        return ids
