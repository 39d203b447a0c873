import json

import pytest

from tests.data.synth import small_val
from vis_projects.data.synth import SynthVIS, format_statistics, synth_statistics

ATTRIBUTES = {"occ_level": "so", "fast": False, "reentry": False, "lookalike": False, "appearance_change": False,
              "small": False, "late": False}


def track(video_id, boxes, **attributes):
    return {"video_id": video_id, "category_id": 1, "height": 10, "width": 10, "bboxes": boxes,
            "areas": [None if b is None else int(b[2] * b[3]) for b in boxes], "attributes": ATTRIBUTES | attributes}


def truth_of(*tracks, length=2, videos=1):
    return {"info": {"version": "x"}, "categories": [{"id": 1, "name": "ball"}], "annotations": list(tracks),
            "videos": [{"id": k + 1, "height": 10, "width": 10, "file_names": ["f"] * length} for k in range(videos)]}


def test_empty_sets_have_statistics():
    for truth in (truth_of(videos=0), truth_of()):
        statistics = synth_statistics(truth)
        assert statistics["tracks"] == statistics["masks"] == 0
        assert statistics["mbor"] == statistics["objects_per_frame"] == statistics["fast"] == 0.0
        assert "mbor" in format_statistics(statistics)


def test_hand_made_file(tmp_path):
    a = track(1, [[0, 0, 4, 4], [2, 0, 4, 4]], fast=True)
    b = track(1, [[2, 0, 4, 4], None], occ_level="ho")
    path = tmp_path / "instances.json"
    path.write_text(json.dumps(truth_of(a, b)))
    statistics = synth_statistics(path)
    # Frame 0: boxes share 2 x 4 of 6 x 4 = 1/3; frame 1: nothing shared. Mean 1/6.
    assert statistics["mbor"] == pytest.approx(1 / 6)
    assert statistics["objects_per_frame"] == 3 / 2 and statistics["tracks_per_video"] == 2
    assert statistics["disappear"] == 1 / 2 and statistics["reappear"] == 0.0
    assert statistics["occ_levels"] == {"so": 1 / 2, "mo": 0.0, "ho": 1 / 2} and statistics["fast"] == 1 / 2
    assert statistics["median_step"] == 2 / 4 and statistics["classes"] == {"ball": 2}


def test_gap_is_a_reappearance_and_small_masks_are_counted():
    statistics = synth_statistics(truth_of(track(1, [[0, 0, 1, 0.5], None, [0, 0, 3, 3]]), length=3))
    assert statistics["disappear"] == statistics["reappear"] == 1.0
    assert statistics["small_masks"] == 0.0  # areas 0 (not counted) and 9 of 100 pixels
    tiny = track(1, [[0, 0, 5, 5], [0, 0, 5, 5]])
    tiny["areas"] = [0.5, 25]
    assert synth_statistics(truth_of(tiny))["small_masks"] == 1 / 2


def test_files_without_attributes():
    plain = {k: v for k, v in track(1, [[0, 0, 4, 4], None]).items() if k != "attributes"}
    statistics = synth_statistics(truth_of(plain))
    assert statistics["occ_levels"] is None and statistics["fast"] is None and statistics["tracks"] == 1


def test_small_val_has_the_statistics_of_the_benchmark():
    statistics = synth_statistics(small_val.ground_truth())
    assert statistics["videos"] == 40 and statistics["frames"] == 960
    assert statistics["objects_per_frame"] == pytest.approx(4.5, abs=0.3)
    assert 0.18 <= statistics["mbor"] <= 0.25
    assert 0.25 <= statistics["disappear"] <= 0.35 and 0.18 <= statistics["reappear"] <= 0.28
    assert 0.10 <= statistics["small_masks"] <= 0.20
    assert {"so": 0.45, "mo": 0.33, "ho": 0.22} == pytest.approx(statistics["occ_levels"], abs=0.06)
    assert 0.25 <= statistics["fast"] <= 0.45
    assert min(statistics["classes"].values()) >= 5


def test_tiny_train_has_the_statistics_of_the_benchmark():
    statistics = synth_statistics(SynthVIS("tiny", "train").ground_truth())
    assert statistics["objects_per_frame"] == pytest.approx(2.6, abs=0.2)
    assert 0.10 <= statistics["mbor"] <= 0.16
    assert 0.15 <= statistics["disappear"] <= 0.30 and 0.12 <= statistics["reappear"] <= 0.25
    assert {"so": 0.50, "mo": 0.40, "ho": 0.10} == pytest.approx(statistics["occ_levels"], abs=0.06)
    assert statistics["small_masks"] <= 0.10 and 0.25 <= statistics["fast"] <= 0.40
    assert min(statistics["classes"].values()) >= 5


@pytest.mark.parametrize("split", ["val", "test"])
def test_each_class_occurs_in_the_other_tiny_splits(split):
    assert min(synth_statistics(SynthVIS("tiny", split).ground_truth())["classes"].values()) >= 5
