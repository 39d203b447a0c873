"""`vis pack` on a generated set: a good file round-trips, a bad one is refused with its reasons."""

import json
import zipfile

import pytest

from tests.toy_ytvis import write_toy_ytvis
from vis_projects.cli.main import main


@pytest.fixture
def files(tmp_path):
    json_file, _ = write_toy_ytvis(tmp_path, videos=2, frames=2)
    data = json.loads(open(json_file).read())
    results = [{"video_id": a["video_id"], "category_id": a["category_id"], "score": 0.5,
                "segmentations": a["segmentations"]} for a in data["annotations"]]
    (tmp_path / "valid.json").write_text(json.dumps({**data, "annotations": None}))
    (tmp_path / "mine.json").write_text(json.dumps(results))
    return tmp_path, results


def test_a_good_file_round_trips(files, capsys):
    folder, results = files
    assert main(["pack", str(folder / "mine.json"), "--gt", str(folder / "valid.json"), "--out",
                 str(folder / "new" / "submission.zip")]) == 0
    assert "ready for upload" in capsys.readouterr().out
    with zipfile.ZipFile(folder / "new" / "submission.zip") as archive:
        assert archive.namelist() == ["results.json"] and json.loads(archive.read("results.json")) == results


def test_faults_are_listed_and_nothing_is_written(files, capsys):
    folder, results = files
    results[0]["category_id"] = 7.0
    results[1]["video_id"] = 99
    (folder / "mine.json").write_text(json.dumps(results))
    assert main(["pack", str(folder / "mine.json"), "--gt", str(folder / "valid.json")]) == 2
    error = capsys.readouterr().err
    assert "2 faults, nothing was packed" in error and "entry 0" in error and "entry 1" in error
    assert not (folder / "mine.zip").exists()


def test_missing_files(files, capsys):
    folder, _ = files
    assert main(["pack", "nope.json", "--gt", str(folder / "valid.json")]) == 2
    assert "nope.json: no such file" in capsys.readouterr().err
