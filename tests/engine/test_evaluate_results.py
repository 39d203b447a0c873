"""`vis eval` behind the command line: files in, tables, files and a picture out, interrupted, resumed, with oracles."""

import json

import cv2
import pytest
import torch

from tests.engine.test_oracles import ToyChannels  # noqa: F401  registers the model
from tests.evaluation.worlds import bar, found, ground_truth, truth
from tests.toy_ytvis import write_toy_ytvis
from vis_projects.engine import evaluate_results
from vis_projects.engine.errors import ConfigError, DataError
from vis_projects.evaluation.world import World

A, B = bar(0, 5), bar(5, 10)
SWAPPED = [found([A, A, A, B], 0.9), found([B, B, B, A], 0.8)]
TRUTH = ground_truth([truth(1, [A] * 4), truth(2, [B] * 4)])


@pytest.fixture
def files(tmp_path):
    """Paths of results with two changed identities and of their ground truth."""
    paths = tmp_path / "results.json", tmp_path / "gt.json"
    for path, content in zip(paths, (SWAPPED, TRUTH)):
        path.write_text(json.dumps(content))
    return tuple(map(str, paths))


def test_all_tables_are_printed_and_nothing_is_written(files, tmp_path):
    before = set(tmp_path.iterdir())
    text = evaluate_results(*files)
    assert "= 0.300" in text and "HOTA" in text and "association" in text
    assert set(tmp_path.iterdir()) == before


def test_files_are_written(files, tmp_path):
    text = evaluate_results(*files, json_file=str(tmp_path / "deep" / "scores.json"), out=str(tmp_path / "out"))
    names = ["report.txt", "report.json", "errors.png"]
    assert text.splitlines()[-4:] == [str(tmp_path / "out" / "report.txt"), str(tmp_path / "deep" / "scores.json"),
                                      *(str(tmp_path / "out" / name) for name in names[1:])]
    content = json.loads((tmp_path / "deep" / "scores.json").read_text())
    assert content == json.loads((tmp_path / "out" / "report.json").read_text())
    assert content["stats"]["AP"] == pytest.approx(0.3) and content["tracking"]["pooled"]["IDSW"] == 2
    assert "HOTA" in (tmp_path / "out" / "report.txt").read_text()
    assert cv2.imread(str(tmp_path / "out" / "errors.png")).shape[2] == 3


def test_ap_alone(files, tmp_path):
    text = evaluate_results(*files, ap_only=True, out=str(tmp_path / "out"))
    assert "= 0.300" in text and "HOTA" not in text
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["report.json", "report.txt"]


def test_a_call_that_is_cut_off_goes_on(files, tmp_path, monkeypatch, caplog):
    gt = ground_truth([truth(v, [A] * 4, video=v) for v in (1, 2, 3)], videos=3)
    results = [found([A, A, A, None], 0.9, video=v) for v in (1, 2, 3)]
    for path, content in zip(files, (results, gt)):
        open(path, "w").write(json.dumps(content))
    whole, looked_at, look_at = evaluate_results(*files), [], World.look_at

    def counted(world, video_id, track_score):
        if video_id == stop_at:
            raise KeyboardInterrupt
        looked_at.append(video_id)
        return look_at(world, video_id, track_score)

    monkeypatch.setattr(World, "look_at", counted)
    stop_at, out = 3, str(tmp_path / "out")
    with pytest.raises(KeyboardInterrupt):
        evaluate_results(*files, out=out)
    assert "the same command goes on" in caplog.text and not (tmp_path / "out" / "report.txt").exists()
    stop_at = 1
    assert evaluate_results(*files, out=out).startswith(whole)
    assert looked_at == [1, 2, 3]
    # other options are other facts
    stop_at = None
    evaluate_results(*files, out=out, track_score=0.95)
    assert looked_at == [1, 2, 3, 1, 2, 3] and "another run" in caplog.text


def test_boxes(files):
    assert "= 0.300" in evaluate_results(*files, iou_type="bbox")


def test_identity_oracle_on_a_file(files, tmp_path):
    text = evaluate_results(*files, oracle="identity", out=str(tmp_path / "out"))
    assert "| area=   all | maxDets=100 ] = 1.000" in text
    assert "another run" not in text


def model_options(tmp_path, frames=2):
    json_file, images = write_toy_ytvis(tmp_path / "toy", videos=2, frames=frames)
    yaml = "MODEL: {META_ARCHITECTURE: ToyChannels, DEVICE: cpu}\nINPUT: {MIN_SIZE_TEST: 0, FORMAT: RGB}\n"
    (tmp_path / "toy.yaml").write_text(yaml)
    return json_file, {"config_file": str(tmp_path / "toy.yaml"), "image_root": images, "out": str(tmp_path / "out")}


@pytest.mark.parametrize("oracle", ["image", "identity"])
def test_a_model_with_an_oracle(tmp_path, oracle):
    json_file, options = model_options(tmp_path)
    torch.manual_seed(0)
    text = evaluate_results(None, json_file, oracle=oracle, **options)
    # true masks in two frames, in which the tracker holds on to them; the model on its own sees noise alone
    assert ("area=   all | maxDets=100 ] = 1.000" in text) == (oracle == "image")
    assert "HOTA" in text and (tmp_path / "out" / "errors.png").is_file()
    assert list((tmp_path / "out" / "inference").glob(f"*_{oracle}_oracle/results.json"))
    again = evaluate_results(None, json_file, oracle=oracle, **options)
    assert again == text, "finished videos are kept, and count the same"


def test_arguments_that_do_not_fit_each_other(files, tmp_path):
    results, gt = files
    json_file, options = model_options(tmp_path)
    subset = ["DATASETS.CLASS_SUBSET", "('disc',)"]
    run = evaluate_results
    for call, error, message in (
        (lambda: run("none.json", gt), DataError, "none.json: no such file"),
        (lambda: run(results, "none.json"), DataError, "none.json: no such file"),
        (lambda: run(None, gt), ConfigError, "name a results file and the ground truth"),
        (lambda: run(None, gt, oracle="image", config_file="c.yaml"), ConfigError, "--config-file and --out"),
        (lambda: run(results, gt, oracle="image"), ConfigError, "leave the results file out"),
        (lambda: run(results, gt, oracle="identity", config_file="c.yaml"), ConfigError, "scored as it is"),
        (lambda: run(results, gt, oracle="mask"), ConfigError, "--oracle 'mask': choose one of image, identity"),
        (lambda: run(None, json_file, oracle="image", opts=subset, **options), ConfigError,
         "leave DATASETS.CLASS_SUBSET empty"),
        (lambda: run(gt, gt), DataError, "give a list of tracks"),
        (lambda: run(results, gt, json_file=str(tmp_path)), DataError, "cannot write the report"),
    ):
        with pytest.raises(error, match=message):
            call()
