"""The report of a run: table, html, overlay videos."""

import json

import pytest
from detectron2.data import DatasetCatalog, MetadataCatalog

from tests.engine.toy_model import ToyVIS, register_toy_set, toy_cfg
from vis_projects.engine.errors import DataError
from vis_projects.engine.evaluation_loop import evaluate_datasets
from vis_projects.engine.frame_reader import open_frames
from vis_projects.engine.report import drawn_videos, write_run_report


@pytest.fixture
def toy_set(tmp_path):
    name = register_toy_set(tmp_path / "data", "toy_report", videos=3)
    yield name
    DatasetCatalog.remove(name)
    MetadataCatalog.remove(name)


@pytest.fixture
def run_dir(toy_set, tmp_path):
    cfg = toy_cfg(toy_set, tmp_path / "run")
    evaluate_datasets(cfg, ToyVIS())
    (tmp_path / "run" / "config.yaml").write_text(cfg.dump())
    lines = [{"iteration": i, "total_loss": 3.0 - i, "loss_count": 1.0} for i in range(3)]
    (tmp_path / "run" / "metrics.json").write_text("".join(json.dumps(line) + "\n" for line in lines))
    return tmp_path / "run"


def test_report_table_and_overlays(run_dir):
    text = write_run_report(str(run_dir), videos=2, score_threshold=0.0)
    report = run_dir / "report"
    assert "= 0." in text and str(report / "report.html") in text
    assert (report / "ap_table.txt").read_text().strip() in text
    assert "<html" in (report / "report.html").read_text()
    # videos 1 and 2 of 3 (0 * 3 // 2 = 0 and 1 * 3 // 2 = 1), two frames of 64 px and a strip of 4 px wide
    assert sorted(p.name for p in (report / "overlay").iterdir()) == ["1.mp4", "2.mp4"]
    frames = list(open_frames(report / "overlay" / "1.mp4"))
    assert len(frames) == 4 and frames[0].shape == (48, 132, 3)


def test_other_results_and_place(run_dir, tmp_path):
    (tmp_path / "none.json").write_text("[]")
    (run_dir / "metrics.json").unlink()
    text = write_run_report(str(run_dir), results=str(tmp_path / "none.json"), out=str(tmp_path / "out"), videos=1)
    assert "= 0.000" in text and (tmp_path / "out" / "report.html").is_file()


def test_weak_tracks_are_not_drawn(run_dir, toy_set):
    results = run_dir / "inference" / toy_set / "results.json"
    (_, _, everything), = drawn_videos(toy_set, results, 1, 0.0)
    (_, _, nothing), = drawn_videos(toy_set, results, 1, 2.0)
    assert everything.tracks and not nothing.tracks and nothing.length == 4


def test_what_is_missing_is_named(run_dir, toy_set, tmp_path):
    with pytest.raises(DataError, match="config.yaml"):
        write_run_report(str(tmp_path / "nowhere"))
    (run_dir / "inference" / toy_set / "results.json").unlink()
    with pytest.raises(DataError, match="results.json.*--eval-only"):
        write_run_report(str(run_dir))
