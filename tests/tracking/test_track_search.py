"""The best track equals the best of all tracks, counted one by one."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.tracking.scenes import SIDE, detections, square
from vis_projects.tracking import TrackSearch

OBJECT = st.tuples(st.integers(0, 6), st.floats(0.05, 1), st.integers(0, 1))
FRAMES = st.lists(st.lists(OBJECT, max_size=3), max_size=5)
COEFFICIENTS = st.tuples(st.floats(0, 5), st.floats(0, 3), st.floats(0, 3))


def overlap(a, b):
    """IoU of two squares at multiples of 4 pixels, from their distance alone."""
    away = 4.0 * abs(a - b)
    return max(0.0, SIDE - away) / (SIDE + away)


def all_tracks(frames, gap):
    """Every track: lists of (frame, row)."""
    nodes = [(t, k) for t, frame in enumerate(frames) for k in range(len(frame))]
    tracks = [[node] for node in nodes]
    for track in tracks:  # grows while it is read
        last = track[-1][0]
        tracks.extend([*track, node] for node in nodes if node[0] > last and (gap < 0 or node[0] - last - 1 <= gap))
    return tracks


def score(track, frames, coefficients):
    """The score of a track, or None where two neighbours do not overlap enough."""
    alpha, beta, gamma = coefficients
    objects = [frames[t][k] for t, k in track]
    total = sum(alpha * math.log(np.float32(s)) for _, s, _ in objects)
    for (x, _, c), (y, _, d) in zip(objects, objects[1:]):
        if overlap(x, y) < 0.3:
            return None
        total += beta * overlap(x, y) + gamma * (c == d)
    return total


@given(FRAMES, COEFFICIENTS, st.sampled_from([-1, 0, 1]))
@settings(max_examples=120, deadline=None)
def test_optimum_equals_brute_force_until_nothing_is_left(frames, coefficients, gap):
    search = TrackSearch(
        [detections(*(square(4.0 * x, s, c) for x, s, c in frame)) for frame in frames],
        coefficients=coefficients, max_gap_frames=gap,
    )
    number = {node: n for n, node in enumerate((t, k) for t, frame in enumerate(frames) for k in range(len(frame)))}
    rivals = {tuple(number[node] for node in track): score(track, frames, coefficients)
              for track in all_tracks(frames, gap)}
    rivals = {track: value for track, value in rivals.items() if value is not None}
    while rivals:
        value, track = search.best_track()
        assert value == pytest.approx(max(rivals.values()), abs=1e-6)
        assert rivals[tuple(track.tolist())] == pytest.approx(value, abs=1e-6)
        search.take(track)
        rivals = {other: v for other, v in rivals.items() if not set(other) & set(track.tolist())}
    value, track = search.best_track()
    assert value == -math.inf and track.tolist() == [] and not search.free.any()


def test_no_frames_and_empty_frames():
    for frames in ([], [detections()], [detections(), detections()]):
        value, track = TrackSearch(frames).best_track()
        assert value == -math.inf and len(track) == 0


def test_a_worked_example():
    # frame 0: a at 0; frame 1: b at 2 (IoU 18/22 with a), c at 8 (12/28 with a); frame 2: d at 8 (14/26 with b,
    # 1 with c)
    frames = [detections(square(0, 0.5)), detections(square(2, 0.5), square(8, 0.5)), detections(square(8, 0.5))]
    search = TrackSearch(frames, coefficients=(1.0, 2.0, 0.0))
    value, track = search.best_track()
    # through c 12/28 + 1 = 1.43, through b 18/22 + 14/26 = 1.36
    assert track.tolist() == [0, 2, 3] and value == pytest.approx(3 * math.log(0.5) + 2 * (12 / 28 + 1))
    search.take(track)
    assert search.best_track()[1].tolist() == [1]


def test_a_weak_detection_is_left_out_where_its_link_does_not_pay():
    frames = [detections(square(0, 0.9)), detections(square(0, 0.01)), detections(square(0, 0.9))]
    # log 0.01 = -4.6: with beta 2 two more links of 2 would have to pay for it, a gap costs one link only
    assert TrackSearch(frames, coefficients=(1.0, 2.0, 0.0)).best_track()[1].tolist() == [0, 2]
    assert TrackSearch(frames, coefficients=(1.0, 2.0, 10.0)).best_track()[1].tolist() == [0, 1, 2]
    # without gaps: not worth 4.6 either, so the track is one detection long
    assert TrackSearch(frames, coefficients=(1.0, 2.0, 0.0), max_gap_frames=0).best_track()[1].tolist() == [0]


def test_nan_is_refused():
    with pytest.raises(FloatingPointError, match="nan"):
        TrackSearch([detections(square(0, float("nan")))])


def test_a_score_of_zero_has_a_finite_logarithm():
    value, _ = TrackSearch([detections(square(0, 0.0))]).best_track()
    assert value == pytest.approx(math.log(torch.finfo(torch.float32).tiny))
