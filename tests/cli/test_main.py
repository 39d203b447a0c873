"""The `vis` command: verbs, help, one-line errors."""

import json

import pytest

from tests.toy_ytvis import write_toy_ytvis
from vis_projects.cli.main import VERBS, build_parser, main

QUICK = "quick_schedules/masktrack_rcnn_R_50_FPN_narrow_synthvis_tiny.yaml"


def test_verbs_are_known_and_documented():
    assert {verb.NAME for verb in VERBS} == {
        "bench", "check-data", "convert", "convert-weights", "demo", "env", "eval", "pack", "report", "show-data",
        "show-results", "split", "synth",
    }
    assert all(verb.HELP and verb.__doc__ for verb in VERBS)


def test_help_lists_the_verbs(capsys):
    with pytest.raises(SystemExit) as stop:
        main(["--help"])
    assert stop.value.code == 0
    text = capsys.readouterr().out
    assert all(verb.NAME in text for verb in VERBS)


@pytest.mark.parametrize("argv", [[], ["upload"], ["pack"], ["demo"]])
def test_missing_and_unknown_verbs_and_arguments(argv):
    with pytest.raises(SystemExit) as stop:
        main(argv)
    assert stop.value.code == 2


def test_opts_take_the_rest_of_the_line():
    args = build_parser().parse_args(["demo", "--config-file", "c", "--input", "i", "--classes", "a", "b", "--opts",
                                      "MODEL.WEIGHTS", "w.pth"])
    assert args.opts == ["MODEL.WEIGHTS", "w.pth"] and args.classes == ["a", "b"] and args.score_threshold == 0.5


def test_env(capsys):
    assert main(["env"]) == 0
    assert "torch" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("argv", "message"),
    [
        (["demo", "--config-file", "nope.yaml", "--input", "nope.mp4"], "nope.mp4"),
        (["eval", "nope.json", "gt.json"], "nope.json: no such file"),
        (["split", "nope.json"], "nope.json: no such file"),
        (["check-data", "nope.json"], "nope.json: no such file"),
        (["report", "--output-dir", "nope"], "nope"),
        (["synth", "--preset", "tiny"], "--out"),
        (["synth", "stats", "nope.json"], "nope.json"),
        (["synth", "nope.json"], "stats"),
        (["bench", "--config-file", "nope.yaml"], "nope.yaml"),
        (["bench", "--config-file", QUICK, "--size", "big"], "--size 'big'"),
    ],
)
def test_mistakes_are_one_line(argv, message, capsys):
    assert main(argv) == 2
    error = capsys.readouterr().err
    assert error.startswith("error: ") and message in error and error.count("\n") == 1


def test_check_data_finds_faults(tmp_path, capsys):
    json_file, images = write_toy_ytvis(tmp_path, videos=1)
    assert main(["check-data", json_file, images]) == 0
    assert "no fault" in capsys.readouterr().out
    (tmp_path / "JPEGImages" / "video0" / "00001.jpg").unlink()
    assert main(["check-data", json_file, images]) == 1
    assert "00001.jpg" in capsys.readouterr().out
    assert main(["check-data", json_file, str(tmp_path / "nowhere")]) == 2


def test_split_writes_two_files(tmp_path, capsys):
    json_file, _ = write_toy_ytvis(tmp_path, videos=4, frames=2)
    assert main(["split", json_file, "--val", "0.5", "--seed", "3", "--out", str(tmp_path / "split")]) == 0
    paths = [line.split(": ")[0] for line in capsys.readouterr().out.splitlines()]
    assert [len(json.loads(open(path).read())["videos"]) for path in paths] == [2, 2]


def test_eval_scores_a_file(tmp_path, capsys):
    json_file, _ = write_toy_ytvis(tmp_path, videos=1)
    gt = json.loads(open(json_file).read())
    results = [{"video_id": a["video_id"], "category_id": a["category_id"], "score": 1.0,
                "segmentations": a["segmentations"]} for a in gt["annotations"]]
    (tmp_path / "results.json").write_text(json.dumps(results))
    assert main(["eval", str(tmp_path / "results.json"), json_file]) == 0
    assert "100" in capsys.readouterr().out
    (tmp_path / "results.json").write_text("{")
    assert main(["eval", str(tmp_path / "results.json"), json_file]) == 2


