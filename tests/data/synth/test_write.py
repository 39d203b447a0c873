import hashlib
import json

import numpy as np
import pytest
from PIL import Image

from vis_projects.data.synth import SceneOptions, SynthVIS, write_synthvis


def digests(folder):
    return {str(p.relative_to(folder)): hashlib.sha256(p.read_bytes()).hexdigest()
            for p in sorted(folder.rglob("*")) if p.is_file()}


def test_layout_and_content(tmp_path):
    paths = write_synthvis("tiny", tmp_path, num_videos={"train": 2, "val": 1, "test": 0}, progress=False)
    assert set(paths) == {"train", "val", "test"}
    assert paths["train"] == tmp_path / "train" / "instances.json"
    truth = json.loads(paths["train"].read_text())
    assert truth == json.loads(json.dumps(SynthVIS("tiny", "train", num_videos=2).ground_truth()))
    assert truth["info"]["version"] and len(truth["categories"]) == 4
    for video in truth["videos"]:
        for name in video["file_names"]:
            assert Image.open(tmp_path / "train" / "JPEGImages" / name).size == (160, 96)
    empty = json.loads(paths["test"].read_text())
    assert empty["videos"] == [] and empty["annotations"] == []


def test_jpegs_are_the_frames_in_memory(tmp_path):
    write_synthvis("tiny", tmp_path, splits=("val",), num_videos=1, progress=False)
    read = np.asarray(Image.open(tmp_path / "val" / "JPEGImages" / "v00000" / "00003.jpg")).astype(float)
    assert np.abs(read - SynthVIS("tiny", "val")[0]["image"][3]).mean() < 6


def test_bytes_do_not_depend_on_the_workers(tmp_path):
    for workers in (1, 2):
        write_synthvis("tiny", tmp_path / str(workers), splits=("val",), num_videos=3, workers=workers, progress=False)
    assert digests(tmp_path / "1") == digests(tmp_path / "2")


def test_writing_again_gives_the_same_bytes(tmp_path):
    write_synthvis("tiny", tmp_path, splits=("val",), num_videos=1, progress=False)
    before = digests(tmp_path)
    write_synthvis("tiny", tmp_path, splits=("val",), num_videos=1, progress=False)
    assert digests(tmp_path) == before
    assert not list(tmp_path.rglob("*.part"))


def test_run_lengths_on_request(tmp_path):
    paths = write_synthvis("tiny", tmp_path, splits=("val",), num_videos=1, rle="list", progress=False)
    first = json.loads(paths["val"].read_text())["annotations"][0]
    rle = next(s for s in first["segmentations"] if s is not None)
    assert isinstance(rle["counts"], list) and sum(rle["counts"]) == 96 * 160


def test_empty_scenes_are_written(tmp_path):
    paths = write_synthvis("tiny", tmp_path, splits=("val",), num_videos=1, progress=False,
                           options=SceneOptions(num_objects=0, length=1))
    truth = json.loads(paths["val"].read_text())
    assert truth["annotations"] == [] and truth["videos"][0]["length"] == 1


def test_wrong_requests_are_refused_before_anything_is_written(tmp_path):
    out = tmp_path / "out"
    for arguments in ({"splits": ("valid",)}, {"rle": "polygon"}, {"workers": 0}):
        with pytest.raises(ValueError, match=str(next(iter(arguments)))):
            write_synthvis("tiny", out, progress=False, **arguments)
    with pytest.raises(ValueError, match="preset"):
        write_synthvis("huge", out, progress=False)
    assert not out.exists()
