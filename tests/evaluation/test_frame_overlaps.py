import numpy as np
import pytest

from tests.evaluation.loaded_world import loaded_world
from tests.evaluation.worlds import bar, found, ground_truth, truth
from vis_projects.evaluation.frame_overlaps import frame_overlaps


def overlaps_of(truths, results, num_frames, iou_type="segm"):
    world = loaded_world(results, ground_truth(truths, length=num_frames), iou_type=iou_type)
    detections, annotated = world.video_tracks(1)
    return frame_overlaps(detections, annotated, num_frames, iou_type)


def test_nothing():
    empty = frame_overlaps([], [], 3)
    assert empty.iou.shape == (3, 0, 0) and empty.common().shape == (3, 0, 0)
    assert frame_overlaps([], [], 0).truth_areas.shape == (0, 0)


def test_each_frame_by_hand():
    # frame 0: columns 0-4 and 2-7, 3 in common, 8 in all; then object absent, prediction absent, both equal
    overlaps = overlaps_of(
        [truth(1, [bar(0, 5), None, bar(0, 5), bar(1, 3)])], [found([bar(2, 8), bar(2, 8), None, bar(1, 3)])], 4
    )
    assert overlaps.iou[:, 0, 0].tolist() == [3 / 8, 0, 0, 1]
    assert overlaps.common()[:, 0, 0].tolist() == [3, 0, 0, 2]
    assert overlaps.truth_areas[:, 0].tolist() == [5, 0, 5, 2] and overlaps.found_areas[:, 0].tolist() == [6, 6, 0, 2]


def test_lists_of_other_lengths_are_padded_and_cut():
    overlaps = overlaps_of([truth(1, [bar(0, 5)] * 3)], [found([bar(0, 5)] * 5)], 4)
    assert overlaps.iou[:, 0, 0].tolist() == [1, 1, 1, 0] and overlaps.found_areas[:, 0].tolist() == [5] * 4


def test_masks_of_another_size_do_not_overlap():
    overlaps = overlaps_of([truth(1, [bar(0, 5)] * 2)], [found([np.ones((5, 5), bool), bar(0, 5)])], 2)
    assert overlaps.iou[:, 0, 0].tolist() == [0, 1] and overlaps.common()[:, 0, 0].tolist() == [0, 5]


def test_boxes():
    # 8 wide each, moved by 1: 7 of 9 in common
    overlaps = overlaps_of([{**truth(1, [None]), "bboxes": [[0, 0, 8, 1]]}],
                           [{**found([None]), "bboxes": [[1, 0, 8, 1]]}], 1, "bbox")
    assert overlaps.iou[0, 0, 0] == pytest.approx(7 / 9) and overlaps.common()[0, 0, 0] == pytest.approx(7)


def test_selection_keeps_rows_and_columns_together():
    tracks = [[bar(0, 3)] * 2, [bar(3, 6)] * 2, [bar(6, 10)] * 2]
    overlaps = overlaps_of([truth(k + 1, m) for k, m in enumerate(tracks)], [found(m) for m in tracks[:2]], 2)
    part = overlaps.select([1, 2], [1])
    assert part.iou.tolist() == [[[1.0], [0.0]]] * 2 and part.truth_areas[0].tolist() == [3, 4]
    assert part.found_areas.tolist() == [[3], [3]]
    assert overlaps.select([], []).iou.shape == (2, 0, 0)
