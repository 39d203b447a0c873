"""Frames from a json, from folders, and the order of videos."""

import pytest

from tests.data.convert.worlds import save_images, save_json
from vis_projects.data.convert.frame_lists import FrameList, FrameLists, match_label_files
from vis_projects.data.convert.notes import ConvertNotes
from vis_projects.data.convert.options import ConvertOptions
from vis_projects.data.errors import DatasetError

GIVEN = {"categories": [{"id": 1, "name": "x"}], "annotations": "not read", "videos": [
    {"id": 4, "height": 2, "width": 3, "length": 1, "file_names": ["b/0.jpg"], "fps": 6},
    {"id": 2, "height": 2, "width": 3, "file_names": ["a/0.jpg", "a/1.jpg"]}]}


def lists(**options):
    notes = ConvertNotes()
    return FrameLists(ConvertOptions(**options), notes), notes


def test_nothing_is_known():
    frames, notes = lists()
    assert frames.find("a", alone=True) is None and frames.arrange(["b", "a"]) == ["b", "a"] and notes.lines() == []
    assert FrameList(["a"]).size is None


def test_json(tmp_path):
    path = save_json(GIVEN, tmp_path / "g.json")
    frames, notes = lists(videos=path)
    assert frames.find("b", alone=False) == FrameList(["b/0.jpg"], 2, 3, 4, {"fps": 6})
    assert frames.arrange(["a", "b"]) == ["b", "a"] and notes.lines() == []
    assert frames.arrange(["a", "c"]) == ["a", "c"]
    assert notes.lines() == [f"left out: 1 videos of {path} that the source does not have"]


def test_a_single_video_needs_no_name(tmp_path):
    frames, notes = lists(videos=save_json({**GIVEN, "videos": GIVEN["videos"][1:]}, tmp_path / "g.json"))
    assert frames.find("other", alone=True).video_id == 2
    assert frames.arrange(["other"]) == ["other"] and notes.lines() == []
    with pytest.raises(DatasetError, match="there is no 'other' among a"):
        frames.find("other", alone=False)


def test_broken_json(tmp_path):
    broken = {**GIVEN, "videos": [{**GIVEN["videos"][0], "width": 0}]}
    with pytest.raises(DatasetError, match=r"g\.json: width: is 0\. Remedy"):
        lists(videos=save_json(broken, tmp_path / "g.json"))
    with pytest.raises(DatasetError, match=r"g\.json: json: the file holds a list\. Remedy"):
        lists(videos=save_json([], tmp_path / "g.json"))


def test_folders(tmp_path):
    save_images(tmp_path / "a", ["10.png", "9.png"])
    save_images(tmp_path / "b", ["0.png"])
    frames, notes = lists(images=str(tmp_path))
    assert frames.find("a", alone=False) == FrameList(["a/9.png", "a/10.png"], 4, 6)
    assert frames.arrange(["a"]) == ["a"]
    assert notes.lines() == [f"left out: 1 folders in {tmp_path} that the source does not have"]
    frames, _ = lists(images=str(tmp_path / "a"))
    assert frames.find("whatever", alone=True).file_names == ["a/9.png", "a/10.png"]
    with pytest.raises(DatasetError, match="holds frames, and the source has several videos. Remedy: give the folder"):
        frames.find("a", alone=False)


def test_labels_are_matched_by_stem():
    notes = ConvertNotes()
    frames, pairs = match_label_files(FrameList(["v/a.jpg", "v/b.jpg", "v/c.jpg"], 2, 3), ["c.png", "a.png"], "f", "v",
                                      notes)
    assert frames.file_names == ["v/a.jpg", "v/c.jpg"] and pairs == [(0, "a.png"), (1, "c.png")]
    assert notes.lines() == ["left out: 1 images without a label file"]
    # frames of several folders have no stems of their own: labels are then numbered
    files = ["000000.png", "000001.png"]
    frames, pairs = match_label_files(FrameList(["v/1.jpg", "w/1.jpg"], 2, 3, 7), files, "f", "v", notes)
    assert frames.file_names == ["v/1.jpg", "w/1.jpg"] and pairs == [(0, "000000.png"), (1, "000001.png")]
