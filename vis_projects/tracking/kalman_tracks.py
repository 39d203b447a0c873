"""The tracks of a Kalman tracker and their life: tentative, confirmed, deleted (Wojke et al., Deep SORT, 2.1)."""

import numpy as np

from vis_projects.tracking.kalman import BoxKalmanFilter

_COLUMNS = ("ids", "labels", "mean", "covariance", "hits", "misses", "confirmed")


class KalmanTracks:
    """All living tracks, one row ("slot") a track. Slots move when tracks are deleted; ids do not.

    A track is tentative until it was seen ``num_init`` frames in a row; one frame without it deletes
    it. A confirmed track is deleted when it was not seen for more than ``max_age_frames`` frames.

    Attributes:
        ids: (m,) int64, ascending, never given twice.
        labels: (m,) int64, the class of the latest sight.
        mean: (m, 8) float64, see ``BoxKalmanFilter``.
        covariance: (m, 8, 8) float64.
        hits: (m,) int64, frames in which it was seen.
        misses: (m,) int64, frames since it was seen: 0 right after a sight, so 1 in the next frame.
        confirmed: (m,) bool.
    """

    def __init__(self, kalman: BoxKalmanFilter, *, num_init: int = 3, max_age_frames: int = 30) -> None:
        """
        Args:
            kalman: predicts and corrects the boxes.
            num_init: frames in a row that confirm a track, at least 1.
            max_age_frames: frames a confirmed track lives on unseen, at least 1.
        """
        for name, value in (("NUM_INIT", num_init), ("MAX_AGE_FRAMES", max_age_frames)):
            if value < 1:
                raise ValueError(f"MODEL.DEEPSORT.{name} is {value}; give at least 1 frame")
        self.kalman = kalman
        self.num_init = num_init
        self.max_age_frames = max_age_frames
        self.ids = np.zeros(0, np.int64)
        self.labels = np.zeros(0, np.int64)
        self.mean = np.zeros((0, 8))
        self.covariance = np.zeros((0, 8, 8))
        self.hits = np.zeros(0, np.int64)
        self.misses = np.zeros(0, np.int64)
        self.confirmed = np.zeros(0, bool)
        self._next_id = 0

    def __len__(self) -> int:
        return len(self.ids)

    def predict(self) -> None:
        """Goes on to the next frame; every track counts as unseen in it until ``see``."""
        self.mean, self.covariance = self.kalman.predict(self.mean, self.covariance)
        self.misses = self.misses + 1

    def see(self, slots: np.ndarray, measurements: np.ndarray, labels: np.ndarray) -> None:
        """Corrects k tracks, each at most once, by what was measured: (k,), (k, 4), (k,)."""
        self.mean[slots], self.covariance[slots] = self.kalman.update(
            self.mean[slots], self.covariance[slots], measurements
        )
        self.labels[slots] = labels
        self.hits[slots] += 1
        self.misses[slots] = 0
        self.confirmed[slots] |= self.hits[slots] >= self.num_init

    def delete_lost(self) -> None:
        """Deletes the tentative tracks that were not seen in this frame and the confirmed ones that are too old."""
        alive = (self.misses == 0) | (self.confirmed & (self.misses <= self.max_age_frames))
        for name in _COLUMNS:
            setattr(self, name, getattr(self, name)[alive])

    def start(self, measurements: np.ndarray, labels: np.ndarray) -> np.ndarray:
        """Starts a track for each of k measurements (k, 4) with classes (k,); returns their ids (k,)."""
        count = len(measurements)
        ids = np.arange(self._next_id, self._next_id + count)
        self._next_id += count
        mean, covariance = self.kalman.start(measurements)
        rows = (ids, labels, mean, covariance, np.ones(count, np.int64), np.zeros(count, np.int64),
                np.full(count, self.num_init <= 1))
        for name, new in zip(_COLUMNS, rows, strict=True):
            setattr(self, name, np.concatenate([getattr(self, name), new]))
        return ids
