"""Every kind of video gives the same frames, one at a time; broken ones end in one line."""

import logging

import cv2
import numpy as np
import pytest

from tests.engine.toy_model import toy_frames
from vis_projects.engine.errors import VideoError
from vis_projects.engine.frame_reader import open_capture, open_frames
from vis_projects.engine.frame_writer import FrameWriter


class FakeCamera:
    """Has the methods of cv2.VideoCapture."""

    def __init__(self, frames, opened=True, fps=0.0):
        self.frames, self.opened, self.fps, self.released = list(frames), opened, fps, False

    def isOpened(self):
        return self.opened

    def get(self, key):
        return self.fps if key == cv2.CAP_PROP_FPS else 0

    def read(self):
        return (True, self.frames.pop(0)) if self.frames else (False, None)

    def release(self):
        self.released = True


def write_folder(folder, frames):
    folder.mkdir()
    for t, frame in enumerate(frames):
        cv2.imwrite(str(folder / f"{t:03d}.png"), frame)


def test_file_folder_glob_generator_and_camera_are_equal(tmp_path):
    frames = toy_frames(6)
    with FrameWriter(tmp_path / "clip.avi", fps=12.5, codec="FFV1") as writer:
        for frame in frames:
            writer.write(frame)
    write_folder(tmp_path / "clip", frames)
    camera = FakeCamera(frames)
    sources = [
        open_frames(tmp_path / "clip.avi"),
        open_frames(str(tmp_path / "clip")),
        open_frames(str(tmp_path / "clip" / "*.png")),
        open_frames(frame for frame in frames),
        open_frames(frames),
        open_capture(0, capture_factory=lambda number: camera),
    ]
    assert [source.fps for source in sources] == [12.5, None, None, None, None, None]
    assert [source.length for source in sources] == [6, 6, 6, None, 6, None]
    for source in sources:
        read = list(source)
        assert len(read) == 6 and all(np.array_equal(a, b) for a, b in zip(read, frames)), source.name
    assert camera.released


def test_one_image_is_a_video_of_one_frame(tmp_path):
    write_folder(tmp_path / "clip", toy_frames(1))
    assert len(list(open_frames(tmp_path / "clip" / "000.png"))) == 1


def test_frames_are_decoded_when_asked_for(tmp_path):
    write_folder(tmp_path / "clip", toy_frames(2))
    frames = iter(open_frames(tmp_path / "clip"))
    next(frames)
    (tmp_path / "clip" / "001.png").unlink()
    with pytest.raises(VideoError, match="001.png"):
        next(frames)


def test_a_truncated_image_is_named(tmp_path):
    write_folder(tmp_path / "clip", toy_frames(2))
    path = tmp_path / "clip" / "001.png"
    path.write_bytes(path.read_bytes()[:60])
    with pytest.raises(VideoError, match="001.png"):
        list(open_frames(tmp_path / "clip"))


def test_an_image_of_another_size_is_named(tmp_path):
    write_folder(tmp_path / "clip", [*toy_frames(1), *toy_frames(1, (32, 32))])
    with pytest.raises(VideoError, match="001.png: is 32x32, the first frame 64x48"):
        list(open_frames(tmp_path / "clip"))


@pytest.mark.parametrize("source", ["nowhere.mp4", "camera:x", "camera:"])
def test_nothing_there(source):
    with pytest.raises(VideoError, match=source):
        open_frames(source)


def test_folder_and_glob_without_images(tmp_path):
    for source in (tmp_path, tmp_path / "*.jpg"):
        with pytest.raises(VideoError, match="no image"):
            open_frames(str(source))


def test_a_file_that_is_no_video(tmp_path):
    (tmp_path / "text.mp4").write_text("not a video")
    with pytest.raises(VideoError, match="text.mp4.*ffmpeg"):
        open_frames(tmp_path / "text.mp4")


def test_a_camera_that_is_not_there():
    camera = FakeCamera([], opened=False)
    with pytest.raises(VideoError, match="camera 3"):
        open_capture(3, capture_factory=lambda number: camera)
    assert camera.released


def test_a_camera_without_frames():
    with pytest.raises(VideoError, match="not one frame"):
        list(open_capture(0, capture_factory=lambda number: FakeCamera([])))


def test_a_cut_off_file_is_reported(caplog):
    class Short(FakeCamera):
        def get(self, key):
            return 9 if key == cv2.CAP_PROP_FRAME_COUNT else 0

    source = open_capture("clip.mp4", capture_factory=lambda path: Short(toy_frames(4)))
    with caplog.at_level(logging.WARNING, logger="vis_projects"):
        assert len(list(source)) == 4
    assert "announces 9 frames, 4 could be decoded" in caplog.text
