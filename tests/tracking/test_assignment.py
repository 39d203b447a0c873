"""One decision per detection; conflicts go to the best score."""

from itertools import permutations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from vis_projects.tracking import NEW_TRACK, assign_best, assign_hungarian


def test_no_detections():
    columns = assign_best(np.zeros((0, 3)))
    assert columns.shape == (0,) and columns.dtype == np.int64


def test_without_tracks_every_detection_is_new():
    assert assign_best(np.array([[-3.0], [7.0]])).tolist() == [NEW_TRACK, NEW_TRACK]


def test_worked_example_the_better_of_two_takes_the_track():
    # Rows 0 and 1 both prefer column 1 (10.99 > 10.68): row 1 is dropped, not made new.
    scores = np.array(
        [[8.264791, 10.987903, -1.255564], [7.679008, 10.675767, -1.710744], [7.452040, -2.097870, 9.385779]]
    )
    assert assign_best(scores).tolist() == [1, -1, 2]


def test_a_later_better_detection_takes_the_track_over():
    assert assign_best(np.array([[0.0, 1.0], [0.0, 3.0], [0.0, 2.0]])).tolist() == [-1, 1, -1]


def test_new_detections_do_not_compete():
    assert assign_best(np.array([[5.0, 1.0], [5.0, 1.0]])).tolist() == [NEW_TRACK, NEW_TRACK]


def test_ties_go_to_the_lowest_column_and_the_lowest_row():
    assert assign_best(np.array([[1.0, 1.0, 1.0]])).tolist() == [NEW_TRACK]
    assert assign_best(np.array([[0.0, 2.0, 2.0], [0.0, 2.0, 1.0]])).tolist() == [1, -1]


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_scores_that_are_not_finite_are_refused_with_their_rows(bad):
    with pytest.raises(FloatingPointError, match=r"detections \[1\] .* checkpoint"):
        assign_best(np.array([[0.0, 1.0], [0.0, bad]]))


@settings(max_examples=100, deadline=None)
@given(st.integers(0, 6).flatmap(lambda n: arrays(np.float64, (n, 4), elements=st.integers(-3, 3).map(float))))
def test_a_track_has_at_most_one_detection_and_it_is_the_best_that_asked(scores):
    columns = assign_best(scores)
    wanted = scores.argmax(axis=1)
    for track in (1, 2, 3):
        asked = np.nonzero(wanted == track)[0]
        holders = np.nonzero(columns == track)[0]
        assert len(holders) == (1 if len(asked) else 0)
        if len(asked):
            assert scores[holders[0], track] == scores[asked, track].max()
    assert ((columns == NEW_TRACK) == (wanted == NEW_TRACK)).all()


def test_priority_decides_a_conflict_instead_of_the_score_of_the_track():
    scores = np.array([[0.0, 1.0], [0.0, 3.0], [5.0, 2.0]])
    assert assign_best(scores, priority=np.array([0.9, 0.1, 1.0])).tolist() == [1, -1, NEW_TRACK]
    assert assign_best(scores, priority=np.array([0.5, 0.5, 0.5])).tolist() == [1, -1, NEW_TRACK]
    assert assign_best(np.zeros((0, 3)), priority=np.zeros(0)).tolist() == []


def test_hungarian_of_nothing():
    for shape in ((0, 0), (3, 0), (0, 3)):
        rows, columns = assign_hungarian(np.zeros(shape), 1.0)
        assert rows.shape == columns.shape == (0,)


def test_hungarian_takes_the_least_sum_and_not_the_best_first():
    # greedy would take 0.1 and then 0.9; the other way it is 0.2 + 0.3
    rows, columns = assign_hungarian(np.array([[0.1, 0.2], [0.3, 0.9]]), 1.0)
    assert (rows.tolist(), columns.tolist()) == ([0, 1], [1, 0])


def test_hungarian_leaves_out_what_costs_too_much():
    cost = np.array([[0.5, np.inf], [0.4, 0.8]])
    rows, columns = assign_hungarian(cost, 0.5)
    assert (rows.tolist(), columns.tolist()) == ([1], [0])
    # 0.5 + 0.8 against 0.4 and a pair that is not made, which counts as the largest cost
    rows, columns = assign_hungarian(cost, 0.95)
    assert (rows.tolist(), columns.tolist()) == ([0, 1], [0, 1])
    rows, columns = assign_hungarian(cost, 0.85)
    assert (rows.tolist(), columns.tolist()) == ([1], [0])
    assert assign_hungarian(np.full((2, 3), np.inf), 1.0)[0].tolist() == []


def test_hungarian_refuses_nan():
    with pytest.raises(FloatingPointError, match="nan"):
        assign_hungarian(np.array([[np.nan]]), 1.0)


@given(st.integers(1, 4), st.integers(1, 4), st.integers(0, 2**16))
@settings(max_examples=60, deadline=None)
def test_hungarian_equals_brute_force(n, m, seed):
    cost, most = np.random.default_rng(seed).uniform(size=(n, m)), 0.7
    rows, columns = assign_hungarian(cost, most)
    assert len(set(rows.tolist())) == len(rows) and len(set(columns.tolist())) == len(columns)
    assert (cost[rows, columns] <= most).all()
    # a pair that is not made counts as the largest cost
    pairs = min(n, m)
    found = cost[rows, columns].sum() + (pairs - len(rows)) * most
    wide = cost if n <= m else cost.T
    best = min(
        sum(min(wide[i, j], most) for i, j in enumerate(chosen)) for chosen in permutations(range(max(n, m)), pairs)
    )
    assert abs(found - best) < 1e-4
