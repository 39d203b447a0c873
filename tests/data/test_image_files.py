"""read_frame and verify_images_exist: every broken file is named with its remedy."""

import numpy as np
import pytest
from PIL import Image

from vis_projects.data.errors import DatasetError
from vis_projects.data.image_files import missing_images, read_frame, verify_images_exist


@pytest.fixture
def jpg(tmp_path):
    path = tmp_path / "0.jpg"
    Image.fromarray(np.random.default_rng(0).integers(0, 256, (40, 60, 3), dtype=np.uint8)).save(path)
    return path


def test_channel_order_is_the_asked_one(jpg):
    rgb, bgr = (read_frame(str(jpg), order, video_id=1) for order in ("RGB", "BGR"))
    assert rgb.shape == (40, 60, 3) and rgb.dtype == np.uint8
    assert np.array_equal(rgb[..., ::-1], bgr)


def test_a_missing_frame_is_named(tmp_path):
    with pytest.raises(DatasetError, match="video 7: the frame .*gone.jpg does not exist.*Remedy"):
        read_frame(str(tmp_path / "gone.jpg"), "BGR", video_id=7)


@pytest.mark.parametrize("keep", [0, 2, 0.5, 0.95])
def test_a_cut_off_frame_is_named(jpg, keep):
    content = jpg.read_bytes()
    jpg.write_bytes(content[: int(keep * len(content)) if keep < 1 else keep])
    with pytest.raises(DatasetError, match="0.jpg cannot be decoded.*Remedy"):
        read_frame(str(jpg), "BGR", video_id=7)


def test_a_frame_of_another_size_is_named(jpg):
    assert read_frame(str(jpg), "BGR", video_id=7, size=(40, 60)).shape == (40, 60, 3)
    with pytest.raises(DatasetError, match="40 x 60 .*says 60 x 40"):
        read_frame(str(jpg), "BGR", video_id=7, size=(60, 40))


def test_no_records_are_no_missing_files():
    assert missing_images([]) == []
    verify_images_exist([])
    verify_images_exist([], sample=3)


def test_missing_files_of_videos_and_images(jpg, tmp_path):
    there, gone = str(jpg), str(tmp_path / "gone.jpg")
    records = [
        {"video_id": 1, "file_names": [there, gone]},
        {"image_id": 2, "file_name": str(tmp_path / "no_folder" / "0.jpg")},
        {"image_id": 3, "file_name": there},
    ]
    assert missing_images(records) == [("video 1", gone), ("image 2", str(tmp_path / "no_folder" / "0.jpg"))]
    with pytest.raises(DatasetError, match=r"video 1: the frame .*gone.jpg .*\(2 of"):
        verify_images_exist(records)
    verify_images_exist(records[2:])


def test_a_sample_looks_at_evenly_spread_records(jpg):
    there = {"video_id": 1, "file_names": [str(jpg)]}
    gone = {"video_id": 2, "file_names": [str(jpg) + ".gone"]}
    verify_images_exist([there, gone, there, gone], sample=2)  # records 0 and 2
    with pytest.raises(DatasetError, match="video 2"):
        verify_images_exist([there, there, gone, there], sample=2)
