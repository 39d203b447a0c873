import numpy as np

from vis_projects.evaluation.frame_matching import match_frames


def run(*frames, threshold=0.5):
    return list(match_frames([np.array(frame, dtype=float) for frame in frames], threshold))


def test_nothing_to_match():
    assert run() == [] and list(match_frames([np.zeros((0, 3)), np.zeros((2, 0))])) == [[], []]


def test_pairs_below_the_threshold_do_not_count_and_equality_does():
    assert run([[0.49]], [[0.5]]) == [[], [(0, 0)]]


def test_a_pair_is_kept_while_it_counts():
    # frame 1: prediction 1 overlaps more, but prediction 0 was matched before and still counts;
    # frame 2: prediction 0 falls below the threshold
    assert run([[0.8, 0.0]], [[0.6, 0.9]], [[0.4, 0.9]], [[0.6, 0.9]]) == [[(0, 0)], [(0, 0)], [(0, 1)], [(0, 1)]]


def test_a_pair_is_remembered_over_frames_without_the_object():
    assert run([[0.8, 0.0]], [[0.0, 0.0]], [[0.6, 0.9]]) == [[(0, 0)], [], [(0, 0)]]


def test_more_pairs_go_before_more_overlap():
    # the best single overlap 1.0 would leave object 1 alone: 0.5 + 0.5 with two pairs is taken
    assert run([[1.0, 0.5], [0.5, 0.0]]) == [[(0, 1), (1, 0)]]


def test_a_kept_pair_is_not_given_up_for_two_new_ones():
    # kept (0, 0); giving it up would allow (0, 1) and (1, 0)
    assert run([[0.9, 0.0], [0.0, 0.0]], [[0.5, 0.9], [0.9, 0.0]])[1] == [(0, 0)]
