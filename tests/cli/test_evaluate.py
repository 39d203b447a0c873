"""`vis eval` from the command line; what it computes is tested in tests/engine and tests/evaluation."""

import json

import pytest

from tests.toy_ytvis import write_toy_ytvis
from vis_projects.cli.main import build_parser, main


def test_results_may_be_left_out():
    args = build_parser().parse_args(["eval", "gt.json", "--oracle", "image", "--config-file", "c.yaml", "--out", "o",
                                      "--opts", "MODEL.WEIGHTS", "w.pth"])
    assert (args.results, args.gt, args.oracle, args.opts) == (None, "gt.json", "image", ["MODEL.WEIGHTS", "w.pth"])
    args = build_parser().parse_args(["eval", "results.json", "gt.json"])
    assert (args.results, args.gt, args.track_score) == ("results.json", "gt.json", 0.3)
    assert args.out is None and args.json is None and not args.ap_only


def test_the_example_of_the_help_works(tmp_path, capsys):
    json_file, _ = write_toy_ytvis(tmp_path, videos=2)
    gt = json.loads(open(json_file).read())
    results = [{"video_id": a["video_id"], "category_id": a["category_id"], "score": 1.0,
                "segmentations": a["segmentations"]} for a in gt["annotations"]]
    (tmp_path / "results.json").write_text(json.dumps(results))
    scores = tmp_path / "scores"
    assert main(["eval", str(tmp_path / "results.json"), json_file, "--out", str(scores)]) == 0
    text = capsys.readouterr().out
    assert "all objects pooled" in text and str(scores / "errors.png") in text
    numbers = json.loads((scores / "report.json").read_text())
    assert numbers["stats"]["AP"] == pytest.approx(1) and numbers["tracking"]["pooled"]["HOTA"] == 1
    assert main(["eval", str(tmp_path / "results.json"), json_file, "--oracle", "identity"]) == 0


@pytest.mark.parametrize(("argv", "message"), [
    (["eval", "nope.json", "gt.json"], "nope.json: no such file"),
    (["eval", "nope.json"], "nope.json: no such file"),
])
def test_mistakes_are_one_line(argv, message, capsys):
    assert main(argv) == 2
    error = capsys.readouterr().err
    assert error.startswith("error: ") and message in error and error.count("\n") == 1
