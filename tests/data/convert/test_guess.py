"""The format of a source by its files."""

import numpy as np
import pytest

from tests.data.convert.worlds import overlapping, save, save_images, save_json, write
from vis_projects.data.convert import TARGETS, guess_format
from vis_projects.data.errors import DatasetError

EIGHT, SIXTEEN = np.ones((2, 3), dtype=np.uint8), np.ones((2, 3), dtype=np.uint16)


@pytest.mark.parametrize("kind", list(TARGETS))
def test_what_we_write_is_recognised(tmp_path, kind):
    out = tmp_path / ("out" if TARGETS[kind].is_folder else "out.json")
    write(TARGETS[kind].write, overlapping(), out)
    assert guess_format(str(out))[0] == kind


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        ({"images": [], "annotations": [{"track_id": 1}]}, "coco"),
        ({"images": [], "annotations": [{"instance_id": 1}]}, "coco"),
        ({"images": [], "videos": [{"id": 1}], "annotations": [{"id": 1}]}, "coco-images"),
        ({"images": []}, "coco-images"),
        ({"videos": [{"file_names": []}]}, "ytvis"),
    ],
)
def test_json(tmp_path, data, kind):
    assert guess_format(save_json(data, tmp_path / "a.json"))[0] == kind


def test_files_and_folders(tmp_path):
    def kind(name):
        return guess_format(str(tmp_path / name))[0]

    for name in ("a.xml", "a.txt"):
        (tmp_path / name).write_text("")
    assert kind("a.xml") == "cvat" and kind("a.txt") == "mots-txt"
    save(EIGHT, tmp_path / "davis" / "clip" / "0.png", palette=True)
    save(SIXTEEN, tmp_path / "mots" / "0002" / "0.png")
    save(EIGHT, tmp_path / "clip" / "0.png")
    assert kind("davis") == "davis" and kind("mots") == "mots-png" and kind("clip") == "davis"
    (tmp_path / "cvat").mkdir()
    (tmp_path / "cvat" / "annotations.xml").write_text("")
    save_images(tmp_path / "cvat" / "images", ["frame_000000.png"])
    assert kind("cvat") == "cvat"
    save_json({"shapes": []}, tmp_path / "labelme" / "clip" / "0.json")
    save(EIGHT, tmp_path / "labelme" / "clip" / "0.png")  # a grey picture is no label map here
    assert kind("labelme") == "labelme"


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("nothing", r"source: does not exist\. Remedy: correct the path"),
        ("a.zip", r"source: is a zip file\. Remedy: unpack it"),
        ("a.csv", r"the suffix '\.csv' is none of .* Remedy: name the format with --from"),
        ("shape.json", r"shapes: this is labelme's file of one frame\. Remedy: give the folder"),
        ("other.json", r"json: has neither videos .* Remedy: name the format with --from"),
        ("list.json", r"json: has neither videos .* Remedy"),
        ("empty", r"the format is not clear: no file of a known format\. Remedy: name it with --from"),
        ("pictures", r"the format is not clear: no file of a known format\. Remedy"),
        ("both", r"the format is not clear: mots-png by .*; mots-txt by .*\. Remedy: name it with --from"),
    ],
)
def test_what_is_not_clear(tmp_path, name, message):
    for file in ("a.zip", "a.csv"):
        (tmp_path / file).write_text("")
    save_json({"shapes": []}, tmp_path / "shape.json")
    save_json({}, tmp_path / "other.json")
    save_json([1], tmp_path / "list.json")
    (tmp_path / "empty").mkdir()
    save_images(tmp_path / "pictures", ["0.png"])
    (tmp_path / "pictures" / "1.png").write_text("broken")
    save(SIXTEEN, tmp_path / "both" / "instances" / "0002" / "0.png")
    (tmp_path / "both" / "instances_txt").mkdir()
    (tmp_path / "both" / "instances_txt" / "0002.txt").write_text("")
    with pytest.raises(DatasetError, match=message):
        guess_format(str(tmp_path / name))
