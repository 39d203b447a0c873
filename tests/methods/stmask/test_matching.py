"""Anchors and objects: thresholds, what the released code adds, forced matches."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from vis_projects.methods.stmask.matching import BACKGROUND, NEUTRAL, AnchorMatcher
from vis_projects.methods.stmask.targets import FrameTargets
from vis_projects.modeling.yolact import center_form

PLAIN = AnchorMatcher(multi_gt_neutral=False, class_aware=False)


def targets(boxes, classes=None):
    boxes = torch.tensor(boxes, dtype=torch.float32).view(-1, 4)
    count = len(boxes)
    classes = torch.tensor(classes if classes is not None else [0] * count, dtype=torch.int64)
    return FrameTargets(boxes, classes, torch.arange(count), torch.zeros(count, 4, 4, dtype=torch.bool))


def anchors(boxes):
    return center_form(torch.tensor(boxes, dtype=torch.float32))


# one object of width 1 and anchors of width w around it: IoU is the smaller width over the larger
OBJECT = [0.0, 0.0, 1.0, 1.0]
IOUS = (1.0, 0.818, 0.6, 0.429, 0.0, 0.424)
ROW = [[0.0, 0.0, iou, 1.0] if iou else [5.0, 5.0, 6.0, 6.0] for iou in IOUS]


def test_the_golden_case_of_class_aware_thresholds():
    # class 7 of 1..40. q = 2p / (1 + p): p = 1/41 gives 2/42 = 0.0476; logit 6 gives e^6 / (e^6 + 40) = 0.9098, q
    # 0.9528; logit -3 gives 0.00124, q 0.0025. Mean 0.3343: positive from 0.8343, background below 0.7343.
    # Anchor 0 is forced; anchor 1 has 0.818 + 0.953; anchor 2 has 0.6025 and becomes background, as do 0.429 and 0.424
    logits = torch.zeros(6, 41)
    logits[1, 7], logits[2, 7] = 6.0, -3.0
    matched = AnchorMatcher()(anchors(ROW), logits, targets([OBJECT], [6]))
    assert matched.tolist() == [0, 0, BACKGROUND, BACKGROUND, BACKGROUND, BACKGROUND]


def test_plain_thresholds():
    matched = PLAIN(anchors(ROW), torch.zeros(6, 41), targets([OBJECT], [6]))
    assert matched.tolist() == [0, 0, 0, NEUTRAL, BACKGROUND, NEUTRAL]


def test_an_anchor_over_two_objects_is_neutral_unless_it_is_forced():
    # objects side by side, each overlapping the wide anchor by 1/2; each has an anchor of its own
    boxes = [[0.0, 0.0, 1.0, 1.0], [1.0, 0.0, 2.0, 1.0]]
    rows = anchors([[0.0, 0.0, 2.0, 1.0], *boxes])
    matcher = AnchorMatcher(class_aware=False)
    assert matcher(rows, torch.zeros(3, 2), targets(boxes)).tolist() == [NEUTRAL, 0, 1]
    assert PLAIN(rows, torch.zeros(3, 2), targets(boxes)).tolist() == [0, 0, 1]
    # without anchors of their own, one object takes the wide one; 1/2 is a tie, which the first wins
    assert matcher(rows[:1], torch.zeros(1, 2), targets(boxes)).tolist() == [0]


def test_every_object_gets_an_anchor_the_better_pair_first():
    # both objects overlap anchor 0 most; the first by more, so the second takes anchor 1
    rows = anchors([[0.0, 0.0, 1.0, 1.0], [0.0, 0.0, 0.2, 1.0]])
    objects = targets([[0.0, 0.0, 0.9, 1.0], [0.0, 0.0, 0.7, 1.0]])
    assert PLAIN(rows, torch.zeros(2, 2), objects).tolist() == [0, 1]


def test_without_objects_all_is_background():
    assert AnchorMatcher()(anchors(ROW), torch.zeros(6, 3), targets([])).tolist() == [BACKGROUND] * 6


def test_objects_without_any_overlap_are_matched_too():
    matched = AnchorMatcher()(anchors(ROW), torch.zeros(6, 3), targets([[8.0, 8.0, 9.0, 9.0]]))
    assert (matched == 0).sum() == 1 and (matched == BACKGROUND).sum() == 5


def test_the_network_gets_no_gradient():
    logits = torch.zeros(6, 41, requires_grad=True)
    assert not AnchorMatcher()(anchors(ROW), logits, targets([OBJECT])).requires_grad


@given(st.data())
@settings(max_examples=40, deadline=None)
def test_each_object_has_an_anchor_as_long_as_there_are_enough(data):
    number = st.floats(0, 0.8)
    box = st.tuples(number, number, st.floats(0.05, 0.5), st.floats(0.05, 0.5)).map(
        lambda b: [b[0], b[1], b[0] + b[2], b[1] + b[3]])
    objects = data.draw(st.lists(box, min_size=1, max_size=5))
    rows = data.draw(st.lists(box, min_size=1, max_size=8))
    matched = AnchorMatcher()(anchors(rows), torch.zeros(len(rows), 2), targets(objects))
    assert len(set(matched[matched >= 0].tolist())) >= min(len(objects), len(rows))
    assert ((matched >= NEUTRAL) & (matched < len(objects))).all()


def test_thresholds_out_of_order_are_refused():
    with pytest.raises(ValueError, match=r"MODEL\.STMASK\.MATCHER has POS 0.3 and NEG 0.4"):
        AnchorMatcher(positive=0.3)
