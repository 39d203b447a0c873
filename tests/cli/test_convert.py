"""`vis convert`: the lines of its help run on a generated set; reports and one-line errors."""

import json
import shlex
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.toy_ytvis import to_rle, write_toy_ytvis
from vis_projects.cli import convert
from vis_projects.cli.main import main
from vis_projects.data import check_dataset
from vis_projects.engine.convert import SOURCE_FORMATS, TARGET_FORMATS


@pytest.fixture(scope="module")
def generated(tmp_path_factory):
    """A generated set as `vis synth` writes it, below `data/`."""
    root = tmp_path_factory.mktemp("generated")
    assert main(["synth", "--preset", "tiny", "--seed", "0", "--videos", "2", "--splits", "val",
                 "--out", str(root / "data")]) == 0
    return root


def annotations(path):
    data = json.loads(Path(path).read_text())
    return sorted((a["video_id"], a["category_id"], json.dumps(a["segmentations"])) for a in data["annotations"])


def test_help_offers_every_format():
    assert convert.SOURCES == SOURCE_FORMATS and convert.TARGETS == TARGET_FORMATS


def test_lines_of_the_help_run(generated, monkeypatch, capsys):
    monkeypatch.chdir(generated)
    lines = [line.strip() for line in convert.__doc__.splitlines() if line.startswith("  vis ")]
    assert len(lines) == 4
    for line in lines:
        assert main(shlex.split(line)[1:]) == 0, line
    report = capsys.readouterr().out
    assert "guessed from videos with file_names" in report and "(mots-png, guessed from mots/instances/" in report
    assert "images: file_names are relative to data/val/JPEGImages" in report
    for path in ("back.json", "again.json"):
        assert annotations(path) == annotations("data/val/instances.json")
        assert check_dataset(path, "data/val/JPEGImages") == []


def test_way_through_mots_txt(generated, tmp_path, capsys):
    source = generated / "data" / "val" / "instances.json"
    assert main(["convert", str(source), str(tmp_path / "mots"), "--to", "mots-txt"]) == 0
    assert main(["convert", str(tmp_path / "mots"), str(tmp_path / "back.json")]) == 0
    assert annotations(tmp_path / "back.json") == annotations(source)
    assert main(["check-data", str(tmp_path / "back.json"), str(generated / "data" / "val" / "JPEGImages")]) == 0
    out = capsys.readouterr().out
    assert "left out:" in out and "fields 'visibility' of annotations" in out


def test_the_report_counts(tmp_path, capsys):
    json_file, _ = write_toy_ytvis(tmp_path / "toy", videos=1)
    assert main(["convert", json_file, str(tmp_path / "out" / "c.json"), "--to", "coco"]) == 0
    # one video of 4 frames; of its 3 objects one is absent in frame 0: 4 + 4 + 3 masks
    assert "1 videos, 4 frames, 3 objects, 11 masks, 3 categories" in capsys.readouterr().out


def two_masks(tmp_path, second):
    """A json of one 2 x 3 frame with two masks."""
    masks = [np.array([[1, 1, 0], [0, 0, 0]]), np.array(second)]
    data = {"categories": [{"id": 1, "name": "x"}], "videos": [
        {"id": 1, "height": 2, "width": 3, "file_names": ["v/0.jpg"]}], "annotations": [
        {"id": k, "video_id": 1, "category_id": 1, "segmentations": [to_rle(mask)]} for k, mask in enumerate(masks)]}
    path = tmp_path / "two.json"
    path.write_text(json.dumps(data))
    return str(path)


def test_lost_pixels_are_told(tmp_path, capsys):
    source = two_masks(tmp_path, [[0, 1, 1], [0, 1, 0]])
    assert main(["convert", source, str(tmp_path / "m"), "--to", "mots-png"]) == 0
    assert "left out: 1 pixels that a smaller object covers" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("argv", "message"),
    [
        (["nope", "OUT.json"], "nope: source: does not exist"),
        (["nope", "OUT.json", "--from", "cvat"], "nope: no such file or folder"),
        (["JSON", "OUT.json"], "is ytvis already; choose the target with --to (coco, mots-png, mots-txt, davis)"),
        (["JSON", "OUT", "--to", "coco"], "give a name that ends in .json"),
        (["JSON", "JSON", "--to", "coco"], "exists already"),
        (["JSON", "OUT", "--to", "mots-png", "--categories", "x.json"], "--categories x.json: ytvis has its own"),
        (["JSON", "OUT", "--to", "mots-png", "--videos", "x.json"], "--videos x.json: ytvis has its own"),
        (["JSON", "OUT", "--to", "mots-png", "--keep-overlaps"], "--keep-overlaps: a png holds one object a pixel"),
        (["JSON", "OUT.json", "--from", "coco"], "images: is missing or null. Remedy: give a list"),
        (["JSON", "OUT.json", "--from", "cvat"], "xml: is broken"),
    ],
)
def test_mistakes_are_one_line_and_leave_nothing(tmp_path, argv, message, capsys):
    json_file = two_masks(tmp_path, [[0, 0, 1], [0, 0, 0]])
    names = {"JSON": json_file, "OUT": str(tmp_path / "out"), "OUT.json": str(tmp_path / "out.json")}
    assert main(["convert", *(names.get(word, word) for word in argv)]) == 2
    error = capsys.readouterr().err
    assert error.splitlines()[-1].startswith("error: ") and message in error.splitlines()[-1]
    assert [path.name for path in tmp_path.iterdir()] == ["two.json"]


def test_frames_of_another_size_are_found_before_anything_is_written(tmp_path, capsys):
    for stem, size in (("0", (3, 2)), ("1", (9, 9))):
        for folder, mode in (("labels", "P"), ("frames", "RGB")):
            path = tmp_path / folder / "v" / f"{stem}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.new(mode, (3, 2) if folder == "labels" else size).save(path)
    argv = ["convert", str(tmp_path / "labels"), str(tmp_path / "out.json"), "--images"]
    assert main([*argv, str(tmp_path / "frames")]) == 2
    error = capsys.readouterr().err.splitlines()[-1]
    assert "out.json: not written" in error and "1.png is 9 x 9" in error and "Remedy" in error
    assert sorted(path.name for path in tmp_path.iterdir()) == ["frames", "labels"]


def test_what_is_odd_but_usable_is_told(tmp_path, capsys):
    images = [{"id": k, "file_name": "a.jpg", "height": 2, "width": 3} for k in (1, 2)]  # one file twice
    source = tmp_path / "coco.json"
    source.write_text(json.dumps({"images": images, "annotations": [], "categories": [{"id": 1, "name": "x"}]}))
    assert main(["convert", str(source), str(tmp_path / "out.json")]) == 0
    assert "note: video 2, file_names[0]: a.jpg is frame 0 of video 1 as well" in capsys.readouterr().out


def test_frames_beside_the_json_are_checked_too(tmp_path, capsys):
    labels = tmp_path / "labels" / "v"
    labels.mkdir(parents=True)
    Image.new("P", (3, 2)).save(labels / "0.png")
    (tmp_path / "JPEGImages").mkdir()  # where vis check-data would look, and it holds no frame
    assert main(["convert", str(tmp_path / "labels"), str(tmp_path / "out.json")]) == 2
    assert "JPEGImages/v/0.jpg does not exist" in capsys.readouterr().err
