"""Fast NMS on small sets, against the definition."""

import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from vis_projects.modeling.yolact import cross_class_fast_nms, per_class_fast_nms, table_iou

# unit squares moved along x: IoU of neighbours d apart is (1 - d) / (1 + d)
ROW = torch.tensor([[x, 0.0, x + 1, 1.0] for x in (0.0, 0.2, 0.4, 5.0)])


def test_a_dropped_one_still_drops_others():
    # scores fall from left to right: 0.2 apart overlaps by 2/3, 0.4 apart by 3/7 < 1/2. Greedy NMS keeps the third, as
    # the second, which overlaps it, is gone; fast NMS drops it too.
    kept = cross_class_fast_nms(ROW, torch.tensor([0.9, 0.8, 0.7, 0.6]), iou_threshold=0.5, topk=200)
    assert kept.tolist() == [0, 3]


def test_topk_counts_before():
    scores = torch.tensor([0.9, 0.8, 0.7, 0.6])
    assert cross_class_fast_nms(ROW, scores, iou_threshold=0.5, topk=3).tolist() == [0]
    assert cross_class_fast_nms(ROW[:0], scores[:0], iou_threshold=0.5, topk=3).tolist() == []


def test_per_class_a_box_may_stay_under_two_classes():
    scores = torch.tensor([[0.9, 0.8, 0.0, 0.04], [0.2, 0.3, 0.0, 0.6]])
    rows, classes, kept = per_class_fast_nms(
        ROW, scores, iou_threshold=0.5, topk=200, score_threshold=0.05, max_dets=100)
    assert list(zip(rows.tolist(), classes.tolist())) == [(0, 0), (3, 1), (1, 1)]
    assert torch.allclose(kept, torch.tensor([0.9, 0.6, 0.3]))
    rows, classes, _ = per_class_fast_nms(ROW, scores, iou_threshold=0.5, topk=200, score_threshold=0.05, max_dets=2)
    assert rows.tolist() == [0, 3]
    empty = per_class_fast_nms(ROW[:0], scores[:, :0], iou_threshold=0.5, topk=2, score_threshold=0.05, max_dets=2)
    assert [len(x) for x in empty] == [0, 0, 0]


@given(st.lists(st.tuples(*[st.floats(0, 1)] * 5), max_size=12), st.floats(0.1, 0.9))
@settings(max_examples=50, deadline=None)
def test_the_kept_are_those_that_no_better_one_overlaps(rows, threshold):
    table = torch.tensor(rows).view(-1, 5)
    boxes = torch.cat([table[:, :2], table[:, :2] + table[:, 2:4]], dim=1)
    scores = table[:, 4]
    order = sorted(range(len(rows)), key=lambda k: -scores[k].item())
    overlap = table_iou(boxes, boxes)
    expected = [k for place, k in enumerate(order) if all(overlap[j, k] <= threshold for j in order[:place])]
    assert cross_class_fast_nms(boxes, scores, iou_threshold=threshold, topk=200).tolist() == expected
