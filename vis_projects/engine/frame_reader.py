"""Opens a video of any kind as a stream of frames: file, folder, glob, camera, or arrays that somebody makes.

Frames are (H, W, 3) uint8 arrays in BGR, as of cv2 and Detectron2's predictor. One frame is held at a time.
"""

import glob
import logging
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from detectron2.data.detection_utils import read_image

from vis_projects.engine.errors import VideoError

logger = logging.getLogger(__name__)

IMAGE_SUFFIXES = (".jpg", ".jpeg", ".png", ".bmp", ".webp", ".tif", ".tiff")
CAMERA = "camera:"


@dataclass
class FrameSource:
    """A video to be read once, in order.

    Attributes:
        frames: gives the frames; it decodes one when it is asked for one.
        name: for messages and results.
        fps: frames per second, None where the source does not tell.
        length: number of frames, None where the source does not tell.
    """

    frames: Iterable[np.ndarray]
    name: str
    fps: float | None = None
    length: int | None = None

    def __iter__(self) -> Iterator[np.ndarray]:
        return iter(self.frames)


def open_frames(source: str | Path | Iterable[np.ndarray]) -> FrameSource:
    """Opens whatever a user calls a video.

    Args:
        source: path of a video file, a folder of images, a glob pattern ("clip/*.jpg"), "camera:0", or an iterable of
            BGR frames.

    Raises:
        VideoError: nothing is there, or it is no video.
    """
    if isinstance(source, FrameSource):
        return source
    if not isinstance(source, (str, Path)):
        return FrameSource(source, "frames", length=len(source) if hasattr(source, "__len__") else None)
    text, path = str(source), Path(source)
    if text.startswith(CAMERA):
        return _open_camera(text)
    if path.is_dir():
        return open_images(sorted(str(p) for p in path.iterdir() if p.suffix.lower() in IMAGE_SUFFIXES), text)
    if path.is_file():
        if path.suffix.lower() in IMAGE_SUFFIXES:
            return open_images([text], text)
        return open_capture(text)
    if glob.has_magic(text):
        return open_images(sorted(p for p in glob.glob(text) if p.lower().endswith(IMAGE_SUFFIXES)), text)
    raise VideoError(
        f"--input {text!r}: no such file or folder. Give a video file, a folder of images, a quoted glob such as "
        "'clip/*.jpg', or camera:0"
    )


def can_be_read_again(source: Any) -> bool:
    """Whether a second `open_frames(source)` gives the same frames again: of files and sequences, not of a camera or an
    iterator."""
    if isinstance(source, (str, Path)):
        return not str(source).startswith(CAMERA)
    return hasattr(source, "__len__")


def open_images(paths: list[str], name: str) -> FrameSource:
    """Images in the given order.

    Raises:
        VideoError: there is none; later, when a file cannot be read or has another size than the first.
    """
    if not paths:
        raise VideoError(f"{name}: no image in it ({', '.join(IMAGE_SUFFIXES)})")
    return FrameSource(_read_images(paths), name, length=len(paths))


def open_capture(source: str | int, *, capture_factory: Callable[[Any], Any] | None = None) -> FrameSource:
    """A video file or a camera, through OpenCV.

    Args:
        source: path, or number of a camera.
        capture_factory: makes an object with the methods of cv2.VideoCapture; None takes cv2.VideoCapture.

    Raises:
        VideoError: it cannot be opened.
    """
    import cv2

    capture = (capture_factory or cv2.VideoCapture)(source)
    camera = isinstance(source, int)
    if not capture.isOpened():
        capture.release()
        remedy = (
            "is it plugged in, and free?" if camera else
            "can OpenCV decode it? Convert it (ffmpeg -i IN -c:v libx264 out.mp4) or give a folder of jpg"
        )
        raise VideoError(f"cannot open {f'camera {source}' if camera else source}: {remedy}")
    fps = float(capture.get(cv2.CAP_PROP_FPS) or 0)
    count = 0 if camera else int(capture.get(cv2.CAP_PROP_FRAME_COUNT) or 0)
    name = f"{CAMERA}{source}" if camera else str(source)
    frames = _read_capture(capture, name, count)
    return FrameSource(frames, name, fps if fps > 0 else None, count if count > 0 else None)


def _open_camera(text: str) -> FrameSource:
    number = text.removeprefix(CAMERA)
    if not number.isdigit():
        raise VideoError(f"--input {text!r}: a camera is camera:0, camera:1, ...")
    return open_capture(int(number))


def _read_images(paths: list[str]) -> Iterator[np.ndarray]:
    size = None
    for path in paths:
        try:
            image = read_image(path, format="BGR")
        except (OSError, SyntaxError) as error:  # PIL reports a broken png header as SyntaxError
            raise VideoError(f"frame {path}: cannot be decoded ({error}); replace it or take it out") from error
        size = size or image.shape[:2]
        if image.shape[:2] != size:
            raise VideoError(
                f"frame {path}: is {image.shape[1]}x{image.shape[0]}, the first frame {size[1]}x{size[0]}; the frames "
                "of a video have one size"
            )
        yield np.ascontiguousarray(image)


def _read_capture(capture: Any, name: str, count: int) -> Iterator[np.ndarray]:
    read = 0
    try:
        while True:
            ok, frame = capture.read()
            if not ok:
                break
            read += 1
            yield frame
    finally:
        capture.release()
    if read == 0:
        raise VideoError(f"{name}: opened, but not one frame can be decoded; the file is cut off or broken")
    if read < count:
        logger.warning(f"{name}: announces {count} frames, {read} could be decoded; the end may be cut off")
