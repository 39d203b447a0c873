"""Frames to files and folders."""

import cv2
import pytest

from tests.engine.toy_model import toy_frames
from vis_projects.engine.errors import VideoError
from vis_projects.engine.frame_reader import open_frames
from vis_projects.engine.frame_writer import FrameWriter


def write(path, frames, **kwargs):
    with FrameWriter(path, **kwargs) as writer:
        for frame in frames:
            writer.write(frame)
    return writer


@pytest.mark.parametrize("name", ["a/out.mp4", "out.avi"])
def test_video_file_keeps_size_count_and_fps(tmp_path, name):
    assert write(tmp_path / name, toy_frames(5), fps=10).num_frames == 5
    source = open_frames(tmp_path / name)
    assert (source.fps, source.length) == (10.0, 5)
    assert [frame.shape for frame in source] == [(48, 64, 3)] * 5


def test_folder_of_jpg(tmp_path):
    write(tmp_path / "out", toy_frames(2))
    assert sorted(p.name for p in (tmp_path / "out").iterdir()) == ["000000.jpg", "000001.jpg"]
    assert cv2.imread(str(tmp_path / "out" / "000001.jpg")).shape == (48, 64, 3)


def test_no_frames_write_no_file(tmp_path):
    write(tmp_path / "out.mp4", [])
    assert not (tmp_path / "out.mp4").exists()


def test_frames_of_two_sizes(tmp_path):
    with pytest.raises(VideoError, match="frame 1 has size"):
        write(tmp_path / "out.avi", [*toy_frames(1), *toy_frames(1, (32, 32))])


def test_unknown_suffix():
    with pytest.raises(VideoError, match=".xyz is no known video"):
        FrameWriter("out.xyz")


def test_a_folder_that_cannot_be_made(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(VideoError, match="cannot make the folder"):
        write(tmp_path / "file" / "out.mp4", toy_frames(1))
