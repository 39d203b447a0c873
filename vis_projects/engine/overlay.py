"""Writes overlay videos: one or more drawn copies of a video side by side."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from detectron2.data.detection_utils import read_image

from vis_projects.engine.frame_writer import FrameWriter
from vis_projects.structures import VideoResults
from vis_projects.visualization import VideoVisualizer

GAP_PX = 4  # white strip between two sides
DATASET_FPS = 6.0  # data sets are sampled at 5 to 6 frames a second


class FrameFiles(Sequence):
    """The frames of a video as (H, W, 3) uint8 RGB arrays, decoded when asked for."""

    def __init__(self, file_names: Sequence[str]) -> None:
        self._file_names = file_names

    def __len__(self) -> int:
        return len(self._file_names)

    def __getitem__(self, t: int) -> np.ndarray:
        return np.ascontiguousarray(read_image(self._file_names[t], format="RGB"))


@dataclass(frozen=True)
class Side:
    """One drawn copy.

    Attributes:
        results: what is drawn on each frame.
        marks: for each frame track id -> mark, see `VideoVisualizer.draw_results`; empty: none.
    """

    results: VideoResults
    marks: Sequence[Mapping[int, str]] = ()


def write_overlay(
    path: str | Path,
    frames: Iterable[np.ndarray],
    sides: Sequence[Side],
    class_names: Sequence[str],
    *,
    fps: float | None = DATASET_FPS,
    draw_text: bool = True,
) -> Path:
    """Writes a video with the sides from left to right.

    Args:
        path: video file or folder, as of `FrameWriter`.
        frames: (H, W, 3) uint8 RGB.
        sides: at least one.
        class_names: by contiguous class.
        fps: frames per second of a video file.
        draw_text: label the objects.
    """
    with FrameWriter(path, fps=fps) as writer:
        for frame in overlay_frames(frames, sides, class_names, draw_text=draw_text):
            writer.write(frame[..., ::-1])
    return Path(path)


def overlay_frames(
    frames: Iterable[np.ndarray], sides: Sequence[Side], class_names: Sequence[str], *, draw_text: bool = True
) -> Iterator[np.ndarray]:
    """The frames of `write_overlay`, (H, W', 3) uint8 RGB with even sides, which most video codecs want."""
    drawer = VideoVisualizer(class_names, draw_text=draw_text)
    for t, image in enumerate(frames):
        parts = []
        for side in sides:
            parts += [np.full((image.shape[0], GAP_PX, 3), 255, np.uint8)] if parts else []
            parts.append(drawer.draw_results(image, side.results.frame(t), side.marks[t] if side.marks else None))
        joined = np.concatenate(parts, axis=1)
        yield np.pad(joined, ((0, joined.shape[0] % 2), (0, joined.shape[1] % 2), (0, 0)))
