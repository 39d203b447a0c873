"""The external memory of a tracker: what is known of each track at its latest sight."""

import torch
from torch import Tensor


class TrackMemory:
    """Embedding, box, class and id of each remembered track, one row ("slot") a track.

    Slots move when tracks are forgotten; ids do not. This class alone hands out ids: they count up
    from 0 in the order of ``append`` and are never given twice, also after a track was forgotten.
    Whatever is stored is a copy, so that no later change of a caller's tensor reaches the memory.

    Attributes:
        ids: (m,) int64.
        embeddings: (m, ...) float32, whatever describes a track, of one shape for all.
        boxes: (m, 4) float32, xyxy in output coordinates.
        labels: (m,) int64.
        last_seen: (m,) int64, the frame index of the latest sight.
    """

    # the attributes that have one row a track; a memory that holds more adds its own
    ROW_NAMES: tuple[str, ...] = ("ids", "embeddings", "boxes", "labels", "last_seen")

    def __init__(self) -> None:
        self.ids = torch.zeros(0, dtype=torch.int64)
        self.embeddings = torch.zeros(0, 0)
        self.boxes = torch.zeros(0, 4)
        self.labels = torch.zeros(0, dtype=torch.int64)
        self.last_seen = torch.zeros(0, dtype=torch.int64)
        self._next_id = 0

    def __len__(self) -> int:
        return self.ids.shape[0]

    def append(self, embeddings: Tensor, boxes: Tensor, labels: Tensor, frame: int) -> Tensor:
        """Starts a track for each of k rows and returns their ids, (k,) int64 on the rows' device.

        Args:
            embeddings: (k, ...) float, (k, D) in most methods.
            boxes: (k, 4) xyxy.
            labels: (k,) integers.
            frame: index of the frame they were seen in.
        """
        count, device = embeddings.shape[0], embeddings.device
        ids = torch.arange(self._next_id, self._next_id + count, device=device)
        if count == 0:
            return ids
        self._next_id += count
        if len(self) == 0:
            # An empty memory knows neither the shape of embeddings nor the device yet.
            self.embeddings = self.embeddings.new_zeros(0, *embeddings.shape[1:])
            for name in self.ROW_NAMES:
                setattr(self, name, getattr(self, name).to(device))
        self.ids = torch.cat([self.ids, ids])
        self.embeddings = torch.cat([self.embeddings, embeddings.detach().float()])
        self.boxes = torch.cat([self.boxes, boxes.detach().float()])
        self.labels = torch.cat([self.labels, labels.long()])
        self.last_seen = torch.cat([self.last_seen, torch.full_like(ids, frame)])
        return ids

    def refresh(
        self,
        slots: Tensor,
        embeddings: Tensor,
        boxes: Tensor,
        labels: Tensor | None,
        frame: int,
    ) -> Tensor:
        """Overwrites k slots by their latest sight and returns their ids, (k,) int64.

        Args:
            slots: (k,) int64, each at most once.
            embeddings: (k, ...) float, (k, D) in most methods.
            boxes: (k, 4) xyxy.
            labels: (k,) integers, or None to keep the remembered classes.
            frame: index of the frame they were seen in.
        """
        if slots.numel() == 0:
            return slots.new_zeros(0)
        self.embeddings = self.embeddings.index_copy(0, slots, embeddings.detach().float())
        self.boxes = self.boxes.index_copy(0, slots, boxes.detach().float())
        if labels is not None:
            self.labels = self.labels.index_copy(0, slots, labels.long())
        self.last_seen = self.last_seen.index_fill(0, slots, frame)
        return self.ids[slots]

    def forget_unseen_since(self, frame: int) -> None:
        """Drops every track whose latest sight is at or before ``frame``."""
        keep = self.last_seen > frame
        if bool(keep.all()):
            return
        for name in self.ROW_NAMES:
            setattr(self, name, getattr(self, name)[keep])
