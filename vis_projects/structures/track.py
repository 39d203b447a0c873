"""One tracked object of one video."""

from dataclasses import dataclass, field


@dataclass
class Track:
    """What is known of one object over a video; a frame in which it is absent has no entry.

    Attributes:
        track_id: id within the video, >= 0, never reused.
        category_id: contiguous class index of the model.
        score: confidence of the whole track in [0, 1].
        segmentations: frame number -> RLE `{"size": [H, W], "counts": str}`.
        boxes: frame number -> (x0, y0, x1, y1) in absolute pixels of the output size.
        frame_scores: frame number -> detection score of that frame.
    """

    track_id: int
    category_id: int
    score: float
    segmentations: dict[int, dict] = field(default_factory=dict)
    boxes: dict[int, tuple[float, float, float, float]] = field(default_factory=dict)
    frame_scores: dict[int, float] = field(default_factory=dict)

    @property
    def length(self) -> int:
        """Number of frames in which the object was found."""
        return len(self.segmentations)
