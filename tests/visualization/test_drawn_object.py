import numpy as np
from detectron2.structures import Instances

from tests.visualization.scenes import instances, results
from vis_projects.visualization.drawn_object import box_around, from_entries, from_instances


def test_nothing():
    assert from_instances(Instances((4, 5))) == []
    assert from_instances(instances()) == []
    assert from_entries([]) == []


def test_all_fields():
    (item,) = from_instances(instances((1, 2, 5, 4), ids=[9]))
    assert (item.track_id, item.category_id, item.score, item.box) == (9, 0, 0.75, [1, 2, 5, 4])
    assert item.mask.dtype == bool and item.mask.sum() == 8


def test_missing_fields():
    only_boxes = Instances((40, 60), pred_boxes=instances((1, 2, 5, 4)).pred_boxes)
    (item,) = from_instances(only_boxes)
    assert (item.track_id, item.category_id, item.score, item.mask) == (-1, None, None, None)


def test_entries_of_results():
    first, second = from_entries(results((1, 2, 5, 4), (10, 0, 60, 40)).frame(0))
    assert (first.track_id, first.category_id, first.score, first.box) == (0, 0, 0.75, (1, 2, 5, 4))
    assert second.mask.sum() == 50 * 40 and second.box == (10, 0, 60, 40)


def test_no_box_around_nothing():
    assert box_around(np.zeros((3, 4), bool)) is None
    assert box_around(np.ones((3, 4), bool)) == (0, 0, 4, 3)
