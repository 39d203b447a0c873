"""VideoResultsBuilder: scores, classes, ids and the empty cases."""

import pytest
import torch
from detectron2.structures import Boxes, Instances

from vis_projects.layers import rle_decode
from vis_projects.structures import VideoResultsBuilder


def frame(rows, size=(4, 5)):
    """Instances of (id, score, class) rows; object i covers pixel (i % 4, i % 5)."""
    instances = Instances(size)
    masks = torch.zeros(len(rows), *size, dtype=torch.bool)
    for row, (track_id, _, _) in enumerate(rows):
        masks[row, track_id % 4, track_id % 5] = True
    instances.pred_ids = torch.tensor([r[0] for r in rows], dtype=torch.int64)
    instances.scores = torch.tensor([r[1] for r in rows], dtype=torch.float32)
    instances.pred_classes = torch.tensor([r[2] for r in rows], dtype=torch.int64)
    instances.pred_masks = masks
    instances.pred_boxes = Boxes(torch.tensor([[r[0], 0.0, r[0] + 1, 1.0] for r in rows]).reshape(-1, 4))
    return instances


def build(*frames, **options):
    builder = VideoResultsBuilder("v", 4, 5, **options)
    for rows in frames:
        builder.add_frame(frame(rows))
    return builder.finish()


def test_no_frames_and_only_empty_frames():
    assert (build().length, build().tracks) == (0, [])
    assert (build([], []).length, build([], []).tracks) == (2, [])


def test_results_say_how_they_were_made():
    assert build([]).inference_mode == "online"
    assert build([], inference_mode="offline").inference_mode == "offline"


def test_a_frame_without_any_field_counts_as_a_frame():
    builder = VideoResultsBuilder("v", 4, 5)
    builder.add_frame(Instances((4, 5)))
    assert builder.finish().length == 1


def test_rows_without_an_id_are_ignored():
    results = build([(-1, 0.9, 0), (3, 0.5, 1)], [(-1, 0.9, 0)])
    assert [t.track_id for t in results.tracks] == [3]
    assert results.length == 2


def test_score_is_the_mean_over_found_frames_and_class_the_most_frequent():
    results = build([(0, 0.25, 1)], [], [(0, 0.5, 2)], [(0, 0.75, 2)])
    track = results.tracks[0]
    assert track.score == (0.25 + 0.5 + 0.75) / 3  # frame 1, where it was not found, does not count
    assert track.category_id == 2
    assert track.frame_scores == {0: 0.25, 2: 0.5, 3: 0.75}
    assert track.boxes[2] == (0.0, 0.0, 1.0, 1.0)


def test_ties_of_class_go_to_the_smallest():
    assert build([(0, 1.0, 5)], [(0, 1.0, 3)]).tracks[0].category_id == 3


def test_masks_are_text_rles_of_the_frame():
    results = build([(2, 1.0, 0)])
    rle = results.tracks[0].segmentations[0]
    assert isinstance(rle["counts"], str)
    assert rle_decode([rle])[0].nonzero().tolist() == [[2, 2]]


def test_short_and_weak_tracks_are_left_out():
    frames = [[(0, 0.5, 0), (1, 0.25, 0)], [(0, 0.5, 0), (1, 0.25, 0)], [(2, 1.0, 0)]]
    assert [t.track_id for t in build(*frames, min_track_len_frames=2).tracks] == [0, 1]
    assert [t.track_id for t in build(*frames, score_floor=0.5).tracks] == [0, 2]


def test_tracks_come_in_ascending_id():
    assert [t.track_id for t in build([(9, 1.0, 0)], [(4, 1.0, 0)]).tracks] == [4, 9]


def test_an_id_twice_in_a_frame_and_a_wrong_size_are_refused():
    builder = VideoResultsBuilder("v", 4, 5)
    with pytest.raises(ValueError, match="twice"):
        builder.add_frame(frame([(1, 0.5, 0), (1, 0.6, 0)]))
    with pytest.raises(ValueError, match=r"\(8, 5\)"):
        builder.add_frame(frame([(1, 0.5, 0)], size=(8, 5)))


def test_finish_does_not_end_the_builder():
    builder = VideoResultsBuilder("v", 4, 5)
    builder.add_frame(frame([(0, 0.5, 0)]))
    first = builder.finish()
    builder.add_frame(frame([(0, 1.0, 0)]))
    assert (first.length, first.tracks[0].length) == (1, 1)
    assert builder.finish().tracks[0].score == 0.75
