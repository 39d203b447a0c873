"""`vis split`, `vis check-data` and `vis pack`: the lines of their help run on a generated set, mistakes are a line."""

import json
import shlex
import zipfile
from pathlib import Path

import pytest

from tests.data.test_standard_splits import released
from vis_projects.cli import check_data, pack, split
from vis_projects.cli.main import main
from vis_projects.data.split import STRATA
from vis_projects.data.standard_splits import SEED, STANDARD_SPLITS, VAL_FRACTION


@pytest.fixture(scope="module")
def generated(tmp_path_factory):
    """A generated set below `data/`, its annotations as results, and a file of the size of a released one."""
    root = tmp_path_factory.mktemp("generated")
    assert main(["synth", "--preset", "tiny", "--seed", "0", "--videos", "4", "--splits", "val",
                 "--out", str(root / "data")]) == 0
    truth = json.loads((root / "data/val/instances.json").read_text())
    results = [{"video_id": a["video_id"], "category_id": a["category_id"], "score": 0.5,
                "segmentations": a["segmentations"]} for a in truth["annotations"]]
    (root / "results.json").write_text(json.dumps(results))
    source = root / "datasets" / STANDARD_SPLITS["ytvis_2019"].source
    source.parent.mkdir(parents=True)
    source.write_text(json.dumps(released(2238, 40)))
    return root


@pytest.fixture
def here(generated, monkeypatch):
    monkeypatch.chdir(generated)
    return generated


@pytest.mark.parametrize("verb", [split, check_data, pack], ids=lambda verb: verb.NAME)
def test_lines_of_the_help_run(verb, here, capsys):
    lines = [line.strip() for line in verb.__doc__.splitlines() if line.startswith("  vis ")]
    assert lines
    for line in lines:
        assert main(shlex.split(line)[1:]) == 0, capsys.readouterr()
    written = {
        "split": ["split/instances_train.json", "datasets/ytvis_2019/reference/val.json"],
        "check-data": ["faults.json", "repaired.json"],
        "pack": ["submission.zip"],
    }[verb.NAME]
    assert all(Path(path).is_file() for path in written)


def test_split_says_what_is_in_its_files(here, tmp_path, capsys):
    assert main(["split", "data/val/instances.json", "--val", "0.5", "--out", str(tmp_path)]) == 0
    train, val = capsys.readouterr().out.splitlines()
    assert train.startswith(f"{tmp_path}/instances_train.json: 2 videos, ") and "sha256 of the video ids" in val
    record = json.loads((tmp_path / "instances_val.json").read_text())["info"]["split"]
    assert val.endswith(record["sha256"])


def test_the_verb_knows_the_rules_of_the_split():
    assert split.STANDARD == tuple(STANDARD_SPLITS)
    assert (split.VAL_FRACTION, split.SEED, split.STRATIFY) == (VAL_FRACTION, SEED, ",".join(STRATA))


@pytest.mark.parametrize(("argv", "word"), [
    (["split"], "give a json"),
    (["split", "data/val/instances.json", "--root", "datasets"], "give a json"),
    (["split", "--standard", "ovis", "--root", "datasets"], "annotations_train.json does not exist"),
    (["split", "--standard", "ytvis_2019", "--seed", "3"], "--standard fixes the json and all options"),
    (["split", "data/val/instances.json", "--stratify", "size"], "stratify is size"),
    (["check-data", "data/val/instances.json", "--fix", "data/val/instances.json"], "the original stays"),
    (["check-data", "data/val/instances.json", "--fix", "results.json"], "exists already"),
    (["check-data", "data/val/instances.json", "--json", "data/val/instances.json"], "is the file that was checked"),
    (["check-data", "data/val/instances.json", "nowhere"], "nowhere: no such folder"),
])
def test_mistakes_are_one_line(argv, word, here, capsys):
    assert main(argv) == 2
    error = capsys.readouterr().err
    assert error.startswith("error: ") and word in error and error.count("\n") == 1


def test_faults_are_counted_repaired_and_left(here, tmp_path, capsys):
    data = json.loads(Path("data/val/instances.json").read_text())
    first = data["annotations"][0]
    first["bboxes"] = [None if box is None else [0, 0, 1, 1] for box in first["bboxes"]]
    data["annotations"][1]["category_id"] = 99
    (tmp_path / "broken.json").write_text(json.dumps(data))
    assert main(["check-data", str(tmp_path / "broken.json"), "data/val/JPEGImages"]) == 1
    out = capsys.readouterr().out
    assert "1 x box and mask differ (can be used all the same)" in out
    assert "1 x unknown category (stops training)" in out
    assert main(["check-data", str(tmp_path / "broken.json"), "data/val/JPEGImages",
                 "--fix", str(tmp_path / "fixed.json"), "--json", str(tmp_path / "left.json")]) == 1
    out = capsys.readouterr().out
    assert "repaired: video" in out and "bboxes: written after the masks" in out
    assert "1 repairs, 1 faults are left" in out
    (left,) = json.loads((tmp_path / "left.json").read_text())
    assert left["kind"] == "unknown category" and left["remedy"]


def test_a_packed_file_is_the_file(here, tmp_path):
    assert main(["pack", "results.json", "--gt", "data/val/instances.json", "--out", str(tmp_path / "a.zip")]) == 0
    with zipfile.ZipFile(tmp_path / "a.zip") as archive:
        assert archive.namelist() == ["results.json"]
        assert archive.read("results.json") == Path("results.json").read_bytes()
