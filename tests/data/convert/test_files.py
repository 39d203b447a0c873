"""Names, numbers and sizes of frame files."""

import numpy as np
import pytest

from tests.data.convert.worlds import save
from vis_projects.data.convert.files import (
    files_in,
    folders_in,
    frame_numbers,
    frame_stems,
    image_size,
    natural_key,
    source_error,
    video_folders,
)
from vis_projects.data.errors import DatasetError


def test_natural_order():
    names = ["f10.jpg", "f2.jpg", "f2b.jpg", "10.jpg", "9.jpg", "a.jpg"]
    assert sorted(names, key=natural_key) == ["a.jpg", "f2.jpg", "f2b.jpg", "f10.jpg", "9.jpg", "10.jpg"]


def test_listings_leave_out_hidden_entries(tmp_path):
    for name in ("b2.PNG", "b10.png", ".hidden.png", "c.txt"):
        (tmp_path / name).write_text("")
    (tmp_path / "folder").mkdir()
    (tmp_path / ".git").mkdir()
    assert files_in(str(tmp_path), (".png",)) == ["b2.PNG", "b10.png"]
    assert folders_in(str(tmp_path)) == ["folder"]


@pytest.mark.parametrize(
    ("names", "numbers"),
    [
        (["v/00000.jpg", "v/00005.jpg", "v/00010.jpg"], [0, 5, 10]),
        (["img_0000001.jpg", "img_0000002.jpg"], [1, 2]),
        (["v2/a.jpg", "v2/b.jpg"], [0, 1]),  # no number in the stem
        (["3.jpg", "2.jpg"], [0, 1]),  # not rising
        (["7.jpg"], [7]),
        ([], []),
    ],
)
def test_frame_numbers(names, numbers):
    assert frame_numbers(names) == numbers


def test_frame_stems():
    assert frame_stems(["v/a.jpg", "v/b.jpg"]) == ["a", "b"]
    assert frame_stems(["v/1.jpg", "w/1.jpg"]) == ["000000", "000001"]


def test_video_folders():
    names = {1: ["x/a/0.jpg", "x/a/1.jpg"], 2: ["y/a/0.jpg"], 3: ["b/0.jpg"], 4: ["0.jpg"], 5: ["c/0.jpg", "d/0.jpg"],
             6: ["../0.jpg"]}
    videos = [{"id": key, "file_names": value} for key, value in names.items()]
    # two folders are called a; 4 has none, 5 has two, 6 would leave the target
    assert video_folders(videos) == {1: "video_1", 2: "video_2", 3: "b", 4: "video_4", 5: "video_5", 6: "video_6"}


def test_image_size(tmp_path):
    assert image_size(save(np.zeros((3, 5), dtype=np.uint8), tmp_path / "a.png")) == (3, 5)
    (tmp_path / "b.png").write_text("no image")
    with pytest.raises(DatasetError, match=r"b\.png: image: cannot be decoded .* Remedy: copy"):
        image_size(str(tmp_path / "b.png"))


def test_error_names_file_field_value_and_remedy():
    assert str(source_error("a.json", "shapes[0]", "is 7", "write 8")) == "a.json: shapes[0]: is 7. Remedy: write 8."
