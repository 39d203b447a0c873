"""Eq. 15 to 17 on tables of a few numbers."""

import math

import pytest
import torch

from vis_projects.methods.stmask.merge import in_a_crowd, merge_scores, shown

NOBODY = torch.zeros(0, 2)


def table(embeddings, remembered, scores, mask_ious, box_ious, agreement, **settings):
    values = merge_scores(*(torch.tensor(x, dtype=torch.float32) for x in
                            (embeddings, remembered, scores, mask_ious, box_ious, agreement)), **settings)
    return values.tolist()


def shown_list(scores, ages, pixels, **limits):
    masks = torch.zeros(len(scores), 2, 3)
    for row, count in enumerate(pixels):
        masks[row].view(-1)[:count] = 0.6
        masks[row].view(-1)[count:] = 0.5  # not above the threshold
    settings = {"score_threshold": 0.05, "max_propagate": 10, "min_mask_pixels": 1, **limits}
    return shown(torch.tensor(scores), torch.tensor(ages, dtype=torch.int64), masks, **settings).tolist()


def test_no_detections_and_nothing_remembered():
    none = torch.zeros(0, 0)
    assert merge_scores(NOBODY, NOBODY, torch.zeros(0), none, none, none).shape == (0, 1)
    assert merge_scores(NOBODY, torch.ones(3, 2), torch.zeros(0), *[torch.zeros(0, 3)] * 3).shape == (0, 4)
    alone = merge_scores(torch.ones(2, 2), NOBODY, torch.ones(2), *[torch.zeros(2, 0)] * 3)
    assert alone.shape == (2, 1) and alone[:, 0].tolist() == pytest.approx([1.4, 1.4])
    assert shown_list([], [], []) == []
    assert in_a_crowd(torch.zeros(0, 3)).shape == (0,) and in_a_crowd(torch.zeros(2, 0)).tolist() == [False, False]


def test_scores_of_the_published_code_by_hand():
    # One detection (3, 4) of score 9/10 against two objects, (4, 3) and (-3, -4): cosines (12 + 12) / 25 = 24/25 and
    # -1, brought to 49/50 and 0. Mask IoUs 1/2 and 1/4, box IoUs 2/5 and 1/10.
    # new: 1/2 + 3/10 + 2 * 3/10 = 7/5; first: 49/50 + 1/2 + 4/5 = 57/25; second: 0 + 1/4 + 1/5 = 9/20
    (row,) = table([[3, 4]], [[4, 3], [-3, -4]], [0.9], [[0.5, 0.25]], [[0.4, 0.1]], [[1, 0]])
    assert row == pytest.approx([7 / 5, 57 / 25, 9 / 20])


def test_scores_of_the_paper_by_hand():
    # cosine and mask IoU as they are: 24/25 + 1/2 = 73/50 and -1 + 1/4 = -3/4; the threshold is 3/10
    (row,) = table([[3, 4]], [[4, 3], [-3, -4]], [0.9], [[0.5, 0.25]], [[0.4, 0.1]], [[1, 0]],
                   coefficients=(0, 1, 0, 0), cos_rescale=False)
    assert row == pytest.approx([3 / 10, 73 / 50, -3 / 4])


def test_scores_of_the_first_release_by_hand():
    # 7/10 mask IoU and 3/10 box IoU: new 1/2 + 7/10 * 3/10 + 3/10 * 3/10 = 4/5; first 49/50 + 7/20 + 3/25 = 29/20
    (row,) = table([[3, 4]], [[4, 3]], [0.9], [[0.5]], [[0.4]], [[1]], coefficients=(0, 0.7, 0.3, 0))
    assert row == pytest.approx([4 / 5, 29 / 20])


def test_score_raises_a_row_and_class_a_column():
    # 1/2 of the score 4/5 is in every column; the class adds 1 to "new" and to the object of the same class
    rows = table([[1, 0]], [[0, 1], [0, 1]], [0.8], [[0, 0]], [[0, 0]], [[1, 0]], coefficients=(0.5, 0, 0, 1))
    assert rows[0] == pytest.approx([1.9, 1.9, 0.9])


def test_an_embedding_of_length_zero_has_the_cosine_zero():
    assert table([[0, 0]], [[3, 4]], [0.5], [[0]], [[0]], [[1]])[0] == pytest.approx([1.4, 0.5])


@pytest.mark.parametrize("bad", [math.nan, math.inf])
@pytest.mark.parametrize("remembered", [NOBODY, torch.ones(1, 2)])
def test_what_is_not_finite_shows(bad, remembered):
    zeros = torch.zeros(2, len(remembered))
    good, bad_embedding = torch.ones(2, 2), torch.tensor([[1.0, 1.0], [1.0, bad]])
    for embeddings, scores in ((bad_embedding, torch.ones(2)), (good, torch.tensor([1.0, bad]))):
        finite = merge_scores(embeddings, remembered, scores, zeros, zeros, zeros).isfinite().all(dim=1)
        assert finite.tolist() == [True, False]


def test_limits_of_what_is_shown():
    assert shown_list([0.9, 0.05, 0.051], [0, 0, 0], [2, 2, 2]) == [True, False, True]
    assert shown_list([0.9, 0.9], [10, 11], [2, 2]) == [True, False]
    assert shown_list([0.9, 0.9, 0.9], [0, 0, 0], [0, 1, 2]) == [False, False, True]
    assert shown_list([0.9, 0.9], [10, 1000], [2, 2], max_propagate=-1) == [True, True]
    assert shown_list([0.9, 0.9], [0, 1], [2, 2], max_propagate=0) == [True, False]


def test_a_crowd_is_two_masks_or_more():
    ious = torch.tensor([[0.3, 0.9, 0.1], [0.31, 0.9, 0.1], [0.4, 0.4, 0.4]])
    assert in_a_crowd(ious).tolist() == [False, True, True]
