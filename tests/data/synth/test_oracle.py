from functools import cache

import numpy as np
import pytest

from tests.data.synth import small_val
from vis_projects.data.synth.annotate import encode_mask
from vis_projects.data.synth.oracle import (box_iou, colour_and_position, colour_histogram, constant_velocity, iou_only,
                                            true_ids)

SIZE = 12
ATTRIBUTE_SELECTIONS = {
    **{name: (lambda a, name=name: a[name])
       for name in ("fast", "reentry", "lookalike", "appearance_change", "small", "late")},
    **{level: (lambda a, level=level: a["occ_level"] == level) for level in ("so", "mo", "ho")}}


def annotation(lefts, category_id=1, top=2):
    """A 4 x 4 block whose first column in each frame is given; None is absent."""
    masks = []
    for left in lefts:
        mask = np.zeros((SIZE, SIZE), dtype=bool)
        if left is not None:
            mask[top:top + 4, left:left + 4] = True
        masks.append(mask)
    return {"video_id": 3, "category_id": category_id,
            "segmentations": [encode_mask(m) if m.any() else None for m in masks],
            "bboxes": [None if left is None else [left, top, 4, 4] for left in lefts],
            "areas": [None if left is None else 16 for left in lefts]}


def presence(records):
    return sorted([s is not None for s in record["segmentations"]] for record in records)


def test_no_annotations_no_records():
    assert iou_only([]) == constant_velocity([]) == colour_and_position([], []) == true_ids([]) == []


def test_iou_only_follows_overlap_and_forgets():
    assert presence(iou_only([annotation([0, 1, 2])])) == [[True, True, True]]
    assert presence(iou_only([annotation([0, 8, 8])])) == [[False, True, True], [True, False, False]]
    assert presence(iou_only([annotation([0, None, 0])])) == [[False, False, True], [True, False, False]]


def test_memory_bridges_a_gap_but_not_a_class():
    assert presence(constant_velocity([annotation([0, None, 1])])) == [[True, False, True]]
    two = [annotation([0, None, None]), annotation([None, None, 1], category_id=2)]
    assert len(constant_velocity(two)) == 2


def test_colour_tells_apart_what_position_confuses():
    # Two blocks swap places while nobody looks; red stays red.
    tracks = [annotation([0, None, 8]), annotation([8, None, 0])]
    images = np.zeros((3, SIZE, SIZE, 3), dtype=np.uint8)
    for time, (red, blue) in enumerate(((0, 8), (0, 8), (8, 0))):
        images[time, 2:6, red:red + 4, 0] = 255
        images[time, 2:6, blue:blue + 4, 2] = 255
    records = colour_and_position(tracks, list(images))
    ends = {(r["segmentations"][0]["counts"], r["segmentations"][2]["counts"]) for r in records}
    assert ends == {(t["segmentations"][0]["counts"], t["segmentations"][2]["counts"]) for t in tracks}


def test_records_are_youtube_vis_results():
    (record,) = iou_only([annotation([0, 1, None, None])])
    assert set(record) == {"video_id", "category_id", "score", "segmentations"}
    assert record["video_id"] == 3 and record["score"] == 2 / 4 and record["segmentations"][2:] == [None, None]


def test_histogram_and_box_overlap_by_hand():
    image = np.array([[[0, 0, 0], [255, 0, 0]]], dtype=np.uint8)
    histogram = colour_histogram(image, np.array([[True, True]]))
    assert histogram[0] == histogram[3 * 16] == 1 / 2 and histogram.sum() == 1.0
    assert colour_histogram(image, np.array([[False, False]])).sum() == 0.0
    assert box_iou((0, 0, 4, 4), (2, 0, 4, 4)) == 8 / 24
    assert box_iou((0, 0, 1, 1), (5, 5, 1, 1)) == 0.0


@cache
def rung(name):
    """Records of one rung over small val."""
    videos = small_val.tracks_by_video()
    if name == "c":
        return [r for k, v in enumerate(videos) for r in colour_and_position(v, small_val.half_size_images(k))]
    rungs = {"a": iou_only, "b": constant_velocity, "d": true_ids}
    return [record for video in videos for record in rungs[name](video)]


@pytest.mark.parametrize("name,low,high", [("a", 0.45, 0.65), ("b", 0.68, 0.88), ("c", 0.70, 0.88), ("d", 1.0, 1.0)])
def test_ladder_on_small_val(name, low, high):
    average_precision = small_val.score(rung(name))["AP"]
    assert low - 1e-9 <= average_precision <= high + 1e-9


def test_look_alikes_are_harder_for_colours():
    choices = ((), (ATTRIBUTE_SELECTIONS["lookalike"],))
    everything, alike = (small_val.score(rung("c"), *choice)["AR10"] for choice in choices)
    assert alike < everything


def test_overlap_alone_cannot_return():
    assert small_val.score(rung("a"), ATTRIBUTE_SELECTIONS["reentry"])["AP"] <= 0.30


@pytest.mark.parametrize("attribute", ATTRIBUTE_SELECTIONS)
def test_each_attribute_has_tracks_and_a_perfect_score_for_the_truth(attribute):
    selected = ATTRIBUTE_SELECTIONS[attribute]
    tracks = [a for a in small_val.ground_truth()["annotations"] if selected(a["attributes"])]
    assert len(tracks) >= 8
    assert small_val.score(rung("d"), selected)["AP"] == pytest.approx(1.0)
