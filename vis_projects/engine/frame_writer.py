"""Writes frames as a video file or as a folder of images."""

from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np

from vis_projects.engine.errors import VideoError

CODECS = {".mp4": "mp4v", ".mov": "mp4v", ".m4v": "mp4v", ".avi": "MJPG", ".mkv": "MJPG"}
DEFAULT_FPS = 25.0  # where the source has none: a folder of images


class FrameWriter:
    """Takes frames one by one; a context manager that closes the file also after an error.

    The output is a video where the path has the suffix of one, otherwise a folder of jpg named by frame number.
    """

    def __init__(self, path: str | Path, *, fps: float | None = None, codec: str | None = None) -> None:
        """
        Args:
            path: file or folder to write.
            fps: frames per second of a video file; None takes 25.
            codec: four letters for OpenCV; None chooses by suffix. "FFV1" in .avi or .mkv is lossless.

        Raises:
            VideoError: a suffix that is neither a known video nor a folder name.
        """
        self.path = Path(path)
        self.fps = fps or DEFAULT_FPS
        suffix = self.path.suffix.lower()
        self._is_file = suffix in CODECS
        if suffix and not self._is_file and not self.path.is_dir():
            raise VideoError(f"--output {path}: {suffix} is no known video; use {', '.join(CODECS)}, or a folder name")
        self._codec = codec or CODECS.get(suffix)
        self._writer: Any = None
        self._size: tuple[int, int] | None = None
        self.num_frames = 0

    def write(self, frame: np.ndarray) -> None:
        """Appends a frame.

        Args:
            frame: (H, W, 3) uint8 BGR, of the size of the first one.

        Raises:
            VideoError: another size, or the file cannot be written.
        """
        import cv2

        size = frame.shape[:2]
        if self._size is None:
            self._size = size
            self._open()
        if size != self._size:
            raise VideoError(f"{self.path}: frame {self.num_frames} has size {size}, the first one {self._size}")
        if self._is_file:
            self._writer.write(np.ascontiguousarray(frame))
        else:
            target = self.path / f"{self.num_frames:06d}.jpg"
            if not cv2.imwrite(str(target), frame):
                raise VideoError(f"cannot write {target}")
        self.num_frames += 1

    def close(self) -> None:
        """Ends the file; more frames cannot follow."""
        if self._writer is not None:
            self._writer.release()
            self._writer = None

    def __enter__(self) -> "FrameWriter":
        return self

    def __exit__(self, kind: type | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def _open(self) -> None:
        import cv2

        folder = self.path.parent if self._is_file else self.path
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise VideoError(f"--output {self.path}: cannot make the folder {folder} ({error})") from error
        if not self._is_file:
            return
        height, width = self._size
        self._writer = cv2.VideoWriter(str(self.path), cv2.VideoWriter_fourcc(*self._codec), self.fps, (width, height))
        if not self._writer.isOpened():
            raise VideoError(
                f"--output {self.path}: OpenCV here cannot write {self._codec}; write to a folder or an .avi file"
            )
