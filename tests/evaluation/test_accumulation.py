import numpy as np

from vis_projects.evaluation.accumulation import accumulate
from vis_projects.evaluation.matching import CellMatches
from vis_projects.evaluation.params import EvalParams

PARAMS = EvalParams(
    iou_thresholds=np.array([0.5]), recall_points=np.array([0.0, 0.5, 1.0]), area_ranges=(("all", 0, 1),),
    max_detections=(1, 2),
)


def cell(rows, num_truth):
    """rows: (score, matched, ignored)."""
    scores, matched, ignored = (np.array([row[k] for row in rows]) for k in range(3))
    return CellMatches(scores.astype(float), matched.astype(bool).reshape(1, 1, -1),
                       ignored.astype(bool).reshape(1, 1, -1), np.array([num_truth]))


def curves(*cells):
    precision, recall, scores = accumulate([list(cells)], PARAMS)
    return precision[0, :, 0, 0], recall[0, 0, 0], scores[0, :, 0, 0]


def test_no_category_and_no_cell():
    precision, recall, scores = accumulate([], PARAMS)
    assert (precision.shape, recall.shape, scores.shape) == ((1, 3, 0, 1, 2), (1, 0, 1, 2), (1, 3, 0, 1, 2))
    precision, recall, _ = accumulate([[]], PARAMS)
    assert (precision == -1).all() and (recall == -1).all()


def test_without_ground_truth_the_category_is_undefined():
    precision, recall, scores = curves(cell([(0.9, False, False)], 0))
    assert (precision == -1).all() and (recall == -1).all() and (scores == -1).all()


def test_without_detections_everything_is_zero():
    precision, recall, scores = curves(cell([], 3))
    assert (precision == 0).all() and (recall == 0).all() and (scores == 0).all()


def test_videos_are_merged_by_score_and_cut_each():
    # cut 1: 0.9 right, 0.8 wrong: recall 1/2, precision 1 up to recall 1/2, 0 beyond
    # cut 2: 0.9 right, 0.8 wrong, 0.7 right: recall 1, precision 1, 1, 2/3
    precision, recall, scores = curves(
        cell([(0.8, False, False), (0.7, True, False)], 1), cell([(0.9, True, False)], 1)
    )
    np.testing.assert_allclose(recall, [1 / 2, 1])
    np.testing.assert_allclose(precision[:, 0], [1, 1, 0])
    np.testing.assert_allclose(precision[:, 1], [1, 1, 2 / 3])
    np.testing.assert_allclose(scores[:, 1], [0.9, 0.9, 0.7])
    np.testing.assert_allclose(scores[:, 0], [0.9, 0.9, 0])


def test_precision_never_rises_with_recall():
    # wrong, right, right: 0, 1/2, 2/3 -> 2/3 everywhere
    precision, _, _ = curves(cell([(0.9, False, False)], 0), cell([(0.8, True, False), (0.7, True, False)], 2))
    np.testing.assert_allclose(precision[:, 1], [2 / 3] * 3)


def test_ignored_detections_count_neither_way():
    precision, recall, _ = curves(cell([(0.9, True, True), (0.8, True, False)], 1))
    np.testing.assert_allclose(recall, [0, 1])  # the cut at one detection leaves only the ignored one
    np.testing.assert_allclose(precision[:, 1], [1] * 3)


def test_equal_scores_keep_the_order_of_videos():
    right, wrong = cell([(0.5, True, False)], 1), cell([(0.5, False, False)], 0)
    np.testing.assert_allclose(curves(right, wrong)[0][:, 0], [1] * 3)
    np.testing.assert_allclose(curves(wrong, right)[0][:, 0], [1 / 2] * 3)
