"""Everything about identities of one video and class, as numbers that add up over videos and classes."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from vis_projects.evaluation.clear_mot import switches_and_fragments
from vis_projects.evaluation.frame_overlaps import FrameOverlaps
from vis_projects.evaluation.hota import HotaSums, hota_sums
from vis_projects.evaluation.identity import identity_counts, identity_scores

CROWD_IOU = 0.5
COUNT_NAMES = ("IDSW", "Frag", "objects", "tracks")


@dataclass
class TrackingSums:
    """HOTA's sums, and counts.

    Attributes:
        hota: see `HotaSums`.
        identity: int64 (3,): IDTP, IDFN, IDFP.
        counts: int64 (4,): identity switches, fragmentations, annotated objects, predicted tracks.
    """

    hota: HotaSums = field(default_factory=HotaSums.zero)
    identity: np.ndarray = field(default_factory=lambda: np.zeros(3, dtype=np.int64))
    counts: np.ndarray = field(default_factory=lambda: np.zeros(4, dtype=np.int64))

    def __add__(self, other: "TrackingSums") -> "TrackingSums":
        return TrackingSums(self.hota + other.hota, self.identity + other.identity, self.counts + other.counts)

    def scores(self) -> dict[str, float]:
        """`hota.SCORE_NAMES` and IDF1, IDP, IDR as fractions, then `COUNT_NAMES`."""
        counts = dict(zip(COUNT_NAMES, self.counts.tolist()))
        return {**self.hota.scores(), **identity_scores(*self.identity.tolist()), **counts}

    def to_json(self) -> dict:
        """Plain values, from which `from_json` makes the same again, bit by bit."""
        hota = {name: values.tolist() for name, values in vars(self.hota).items()}
        return {"hota": hota, "identity": self.identity.tolist(), "counts": self.counts.tolist()}

    @classmethod
    def from_json(cls, content: Mapping) -> "TrackingSums":
        """Reads what `to_json` gave."""
        hota = HotaSums(**{name: np.asarray(values, dtype=np.float64) for name, values in content["hota"].items()})
        return cls(hota, *(np.asarray(content[name], dtype=np.int64) for name in ("identity", "counts")))


def tracking_sums(overlaps: FrameOverlaps, crowd: np.ndarray | None = None) -> TrackingSums:
    """Sums of one video and class.

    Crowd annotations are no objects. A prediction does not count in a frame in which its best overlap is with one, by
    IoU `CROWD_IOU` or more.

    Args:
        overlaps: the objects of the class, crowd ones too, and those predictions that take part.
        crowd: bool (G,), which annotations are crowds; None: none.
    """
    crowd = np.zeros(overlaps.iou.shape[1], dtype=bool) if crowd is None else crowd
    iou, found_present = overlaps.iou[:, ~crowd], overlaps.found_areas > 0
    if crowd.any():
        in_crowd = overlaps.iou[:, crowd].max(axis=1)
        best = iou.max(axis=1, initial=0.0)
        dropped = (in_crowd >= CROWD_IOU) & (in_crowd > best)
        found_present &= ~dropped
        iou = np.where(dropped[:, None], 0.0, iou)
    truth_present = overlaps.truth_areas[:, ~crowd] > 0
    counts = [int(present.any(axis=0).sum()) for present in (truth_present, found_present)]
    return TrackingSums(
        hota_sums(iou, truth_present, found_present),
        np.array(identity_counts(iou, truth_present, found_present), dtype=np.int64),
        np.array([*switches_and_fragments(iou, truth_present), *counts], dtype=np.int64),
    )
