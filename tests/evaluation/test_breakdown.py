import pytest

from tests.evaluation.loaded_world import loaded_world
from tests.evaluation.worlds import bar, found, ground_truth, truth
from vis_projects.evaluation.breakdown import Breakdown, breakdowns

A, B = [bar(0, 5)] * 4, [bar(5, 10)] * 4


def tables(results, gt, **kwargs):
    found_tables = breakdowns(loaded_world(results, gt, **kwargs), gt)
    return {table.title: table.rows for table in found_tables}


def test_plain_ground_truth_gives_size_and_length_alone():
    rows = tables([found(A)], ground_truth([truth(1, A)]))
    assert list(rows) == ["size", "length of the video"]
    assert list(rows["size"]) == ["small", "medium", "large"]
    assert rows["size"]["small"] == pytest.approx({"tracks": 1, "AP": 1, "AP50": 1, "AP75": 1, "AR1": 1, "AR10": 1})
    assert rows["size"]["large"] == {"tracks": 0, "AP": -1, "AP50": -1, "AP75": -1, "AR1": -1, "AR10": -1}


def test_lengths_leave_other_videos_out():
    gt = ground_truth([truth(1, A), truth(2, A * 5, video=2)], videos=2)
    gt["videos"][1]["length"] = 20
    rows = tables([found(A), found([bar(5, 10)] * 20, 0.99, video=2)], gt)["length of the video"]
    assert {name: (row["tracks"], round(row["AP"], 9)) for name, row in rows.items()} == {
        "1 to 16 frames": (1, 1), "17 to 32 frames": (1, 0),
    }


def test_occlusion_and_attributes_ignore_other_tracks():
    # object 1 found; object 2 not found, and a wrong detection above all
    gt = ground_truth([
        truth(1, A, occlusion=["no_occlusion"] * 4, attributes={"fast": False, "occ_level": "so"}),
        truth(2, B, occlusion=["severe_occlusion"] * 4, attributes={"fast": True, "occ_level": "ho"}),
    ])
    gt["videos"][0]["meta"] = {"camera": "pan", "events": ["cross"]}
    rows = tables([found([bar(2, 4)] * 4, 0.9), found(A, 0.8)], gt)
    # one wrong one before it: precision 1/2
    assert {k: (v["tracks"], round(v["AP"], 9)) for k, v in rows["occlusion"].items()} == {
        "light": (1, 0.5), "medium": (0, -1), "heavy": (1, 0),
    }
    assert {k: (v["tracks"], round(v["AP"], 9)) for k, v in rows["attribute of the track"].items()} == {
        "fast no": (1, 0.5), "fast yes": (1, 0), "occ_level ho": (1, 0), "occ_level so": (1, 0.5),
    }
    assert list(rows["attribute of the video"]) == ["camera pan", "events cross"]
    # the whole video: one of two found, precision 1/2 at recall 0 ... 0.5
    assert rows["attribute of the video"]["camera pan"]["AP"] == pytest.approx(51 / 101 / 2)


def test_boxes_have_all_tables():
    gt = ground_truth([truth(1, A, attributes={"fast": True})])
    rows = tables([found(A)], gt, iou_type="bbox")
    assert rows["size"]["small"]["AP"] == pytest.approx(1)
    assert rows["attribute of the track"]["fast yes"]["AP"] == pytest.approx(1)


def test_text_is_in_percent_with_a_dash_where_undefined():
    row = {"tracks": 3, "AP": 0.251, "AP50": 1.0, "AP75": 0.0, "AR1": -1, "AR10": -1}
    text = Breakdown("speed", "others are ignored", {"fast": row}).text()
    assert text.startswith("Per speed, in percent (others are ignored):")
    assert text.splitlines()[-1].split() == ["fast", "3", "25.1", "100.0", "0.0", "-", "-"]
