"""The table holds the means over the seeds of a row, by group."""

from benchmarks.frame_recall import reports, table
from benchmarks.study import Study, StudyRow
from vis_projects.evaluation import FrameRecall


def recall(found, hidden, false):
    return FrameRecall({"all": (8, found), "hidden": (4, hidden)}, false, 0.5, 10)


def test_table_of_means():
    lines = table({"base": [recall(2, 1, 3), recall(6, 3, 5)], "fused": [recall(8, 4, 0)]}).splitlines()
    assert lines[0] == "|  | all (8) | hidden (4) | false, per run |"
    # (2/8 + 6/8) / 2 = 1/2, (1/4 + 3/4) / 2 = 1/2, (3 + 5) / 2 = 4
    assert lines[2:] == ["| base | 50.0 | 50.0 | 4 |", "| fused | 100.0 | 100.0 | 0 |"]


def test_rows_that_did_not_run_are_left_out(tmp_path):
    row = StudyRow("base", "quick_schedules/masktrack_rcnn_R_50_FPN_narrow_synthvis_tiny.yaml", ())
    assert reports(Study("title", (0,), (row,)), tmp_path, 10) == {}
