"""The way that objects have come over the last frames of one video."""

from collections import deque


class Trails:
    """Centres of the objects of one video; holds the last few frames alone, whatever the length of the video."""

    def __init__(self, length_frames: int = 30):
        """
        Args:
            length_frames: how far back a trail reaches; an object that is absent for longer starts a new one.
        """
        self.length_frames = length_frames
        self._frame = 0
        self._points: dict[int, deque] = {}

    def add(self, centers: dict[int, tuple[float, float]]) -> None:
        """Enters the next frame: (x, y) of each id that is in it."""
        self._frame += 1
        for track_id, center in centers.items():
            self._points.setdefault(track_id, deque()).append((self._frame, center))
        for track_id in list(self._points):
            points = self._points[track_id]
            while points and points[0][0] <= self._frame - self.length_frames:
                points.popleft()
            if not points:
                del self._points[track_id]

    def __len__(self) -> int:
        """Number of ids that have a trail."""
        return len(self._points)

    def points(self, track_id: int) -> list[tuple[float, float]]:
        """(x, y) of an id, oldest first."""
        return [center for _, center in self._points.get(track_id, ())]
