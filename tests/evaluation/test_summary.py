import math

import numpy as np

from vis_projects.evaluation.params import EvalParams
from vis_projects.evaluation.summary import STAT_NAMES, summarize

PARAMS = EvalParams()


def arrays(num_categories: int):
    shape = (10, 101, num_categories, 4, 3)
    return -np.ones(shape), -np.ones((10, num_categories, 4, 3)), -np.ones(shape)


def test_no_categories():
    result = summarize(*arrays(0), {}, [], PARAMS)
    assert list(result.stats) == list(STAT_NAMES) and set(result.stats.values()) == {-1.0}
    assert result.per_class == {}
    assert all(math.isnan(value) for value in result.to_percent().values())


def test_each_number_reads_its_own_entries():
    precision, recall, scores = arrays(2)
    precision[:, :, 0, 0, 2] = 0.25
    precision[0, :, 0, 0, 2], precision[5, :, 0, 0, 2] = 0.75, 0.5
    for a, value in ((1, 0.1), (2, 0.2), (3, 0.3)):
        precision[:, :, 0, a, 2], recall[:, 0, a, 2] = value, value + 0.5
    recall[:, 0, 0] = (0.4, 0.5, 0.6)
    result = summarize(precision, recall, scores, {3: "cat", 8: "dog"}, [2, 0], PARAMS)
    # AP: (8 * 1/4 + 3/4 + 1/2) / 10 = 13/40
    expected = [13 / 40, 0.75, 0.5, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.6, 0.7, 0.8]
    np.testing.assert_allclose(list(result.stats.values()), expected)
    assert result.per_class["cat"] == result.stats, "dog has no ground truth and no part in the mean"
    assert set(result.per_class["dog"].values()) == {-1.0}
    assert result.category_ids == [3, 8] and result.num_truth == {"cat": 2, "dog": 0}


def test_lines_have_the_official_form():
    precision, recall, scores = arrays(1)
    precision[:, :, 0, 0, 2] = 0.449
    lines = summarize(precision, recall, scores, {1: "cat"}, [1], PARAMS).lines()
    assert lines == [
        " Average Precision  (AP) @[ IoU=0.50:0.95 | area=   all | maxDets=100 ] = 0.449",
        " Average Precision  (AP) @[ IoU=0.50      | area=   all | maxDets=100 ] = 0.449",
        " Average Precision  (AP) @[ IoU=0.75      | area=   all | maxDets=100 ] = 0.449",
        " Average Precision  (AP) @[ IoU=0.50:0.95 | area= small | maxDets=100 ] = -1.000",
        " Average Precision  (AP) @[ IoU=0.50:0.95 | area=medium | maxDets=100 ] = -1.000",
        " Average Precision  (AP) @[ IoU=0.50:0.95 | area= large | maxDets=100 ] = -1.000",
        " Average Recall     (AR) @[ IoU=0.50:0.95 | area=   all | maxDets=  1 ] = -1.000",
        " Average Recall     (AR) @[ IoU=0.50:0.95 | area=   all | maxDets= 10 ] = -1.000",
        " Average Recall     (AR) @[ IoU=0.50:0.95 | area=   all | maxDets=100 ] = -1.000",
        " Average Recall     (AR) @[ IoU=0.50:0.95 | area= small | maxDets=100 ] = -1.000",
        " Average Recall     (AR) @[ IoU=0.50:0.95 | area=medium | maxDets=100 ] = -1.000",
        " Average Recall     (AR) @[ IoU=0.50:0.95 | area= large | maxDets=100 ] = -1.000",
    ]


def test_table_and_percent():
    precision, recall, scores = arrays(3)
    precision[:, :, :2, 0, 2], recall[:, :2, 0] = 0.5, 0.25
    result = summarize(precision, recall, scores, {1: "12", 2: "cat", 3: "cat"}, [4, 1, 0], PARAMS)
    assert list(result.per_class) == ["12", "cat (2)", "cat (3)"]
    table = result.table()
    assert table.startswith(result.lines()[0]) and "cat (3)" not in table
    assert [row.split() for row in table.splitlines()[-2:]] == [
        ["12", "4", "50.0", "50.0", "50.0", "25.0", "25.0"],
        ["cat", "(2)", "1", "50.0", "50.0", "50.0", "25.0", "25.0"],
    ]
    percent = result.to_percent()
    assert percent["AP"] == 50 and percent["AP-cat (2)"] == 50 and math.isnan(percent["AP-cat (3)"])
