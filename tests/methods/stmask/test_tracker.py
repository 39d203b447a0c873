"""The tracker's rules: the worked sequence with fusion, the rules without it, memory, limits. No network needed.

The padded image is 32 x 32 pixels, its unpadded part the upper 24 rows; prototypes are 8 x 8 and the output 48 x 64.
"""

import math
from fractions import Fraction

import pytest
import torch
from detectron2.config import CfgNode
from detectron2.structures import Instances
from hypothesis import given, settings
from hypothesis import strategies as st

from vis_projects.methods.stmask.config import add_stmask_config
from vis_projects.methods.stmask.frame import FrameContext, FrameGeometry, TemporalFeatures
from vis_projects.methods.stmask.tracker import STMaskTracker
from vis_projects.modeling.yolact import assemble_masks

GEOMETRY = FrameGeometry(padded_size=(32, 32), image_size=(24, 32), output_size=(48, 64))
PROTOTYPES = torch.ones(8, 8, 1)  # sigmoid(tanh(c)) is above 1/2 for c > 0: a mask is its whole box
SOLID, HOLLOW = 3.0, -3.0  # coefficients
A, B, C = (0.0, 0.0, 0.5, 0.25), (0.5, 0.25, 1.0, 0.5), (0.75, 0.5, 1.0, 0.75)
ELSEWHERE = (0.0, 0.5, 0.25, 0.75)
LOOKS_A, LOOKS_B, LOOKS_C = (1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0)
DECAY = Fraction(19, 20)


def frame(number=0):
    """Its features say which frame it is."""
    return FrameContext(PROTOTYPES, TemporalFeatures(*[torch.full((1, 1, 2, 2), float(number))] * 2), GEOMETRY)


def stay(earlier, later, boxes, coefficients):
    """Temporal fusion of a video in which nothing moves."""
    return boxes, coefficients


def detections(*rows):
    """Rows (box, score, embedding) or (box, score, embedding, class) or (..., class, coefficient)."""
    rows = [(*row, *(3, SOLID)[len(row) - 3 :]) for row in rows]
    found = Instances(GEOMETRY.output_size)
    found.padded_boxes = torch.tensor([row[0] for row in rows], dtype=torch.float32).reshape(-1, 4)
    found.scores = torch.tensor([float(row[1]) for row in rows])
    found.track_embeddings = torch.tensor([row[2] for row in rows], dtype=torch.float32).reshape(-1, 3)
    found.pred_classes = torch.tensor([row[3] for row in rows], dtype=torch.int64)
    found.mask_coefficients = torch.tensor([[row[4]] for row in rows]).reshape(-1, 1)
    found.mask_probs = assemble_masks(PROTOTYPES, found.mask_coefficients, found.padded_boxes)
    return found


def step(tracker, *rows, shift=stay):
    tracker.observe(frame(), shift)
    return tracker.update(detections(*rows))


def shown(tracker, *rows, shift=stay):
    """Score of each id that is shown."""
    out = step(tracker, *rows, shift=shift)
    return dict(zip(out.pred_ids.tolist(), out.scores.tolist()))


def exactly(expected):
    return pytest.approx({key: float(value) for key, value in expected.items()}, rel=1e-5)


def test_empty_frames_before_between_and_after():
    tracker = STMaskTracker()
    for _ in range(2):
        out = step(tracker)
        assert len(out) == 0 and out.image_size == (48, 64)
        assert out.pred_ids.dtype == out.pred_classes.dtype == torch.int64
        assert out.pred_masks.shape == (0, 48, 64) and out.pred_masks.dtype == torch.bool
        assert out.pred_boxes.tensor.shape == (0, 4) and out.scores.shape == (0,)
    assert shown(tracker, (A, 0.9, LOOKS_A)) == exactly({0: Fraction(9, 10)})
    assert shown(tracker) == exactly({0: Fraction(9, 10) * DECAY})
    assert shown(tracker, (A, 0.9, LOOKS_A)) == exactly({0: Fraction(9, 10)})


def test_golden_sequence():
    a, b, d = Fraction(9, 10), Fraction(8, 10), Fraction(7, 10)
    tracker = STMaskTracker()
    # t = 0: nothing is remembered, so both are new.
    assert shown(tracker, (A, a, LOOKS_A), (B, b, LOOKS_B)) == exactly({0: a, 1: b})
    # t = 1: A on itself is (1 + 1) / 2 + 1 + 2 = 4 > 7/5; B has no detection: 8/10 * 19/20 = 76/100 and age 1.
    assert shown(tracker, (A, a, LOOKS_A)) == exactly({0: a, 1: b * DECAY})
    # t = 2: both detections want object 0 with the same 4; the one of 9/10 has it, that of 6/10 is dropped, not new.
    assert shown(tracker, (A, a, LOOKS_A), (A, 0.6, LOOKS_A)) == exactly({0: a, 1: b * DECAY**2})
    # t = 3: the looks of A elsewhere: 1 + 0 + 0 < 7/5, so it is new; 9/10 * 19/20 for the object that stayed.
    assert shown(tracker, (C, d, LOOKS_A)) == exactly({0: a * DECAY, 1: b * DECAY**3, 2: d})
    for t in range(4, 15):
        # object 0 was seen last at t = 2, object 1 at 0, object 2 at 3; each is shown for ten frames more
        expected = {0: a * DECAY ** (t - 2), 1: b * DECAY**t, 2: d * DECAY ** (t - 3)}
        last = {0: 12, 1: 10, 2: 13}
        assert shown(tracker) == exactly({i: score for i, score in expected.items() if t <= last[i]})
    assert len(tracker.memory) == 3
    # t = 15: object 1 is hidden, not forgotten: found again it has its id and its own score.
    assert shown(tracker, (B, 0.5, LOOKS_B)) == exactly({1: Fraction(1, 2)})
    # t = 16: a new object has the next id
    expected = {1: Fraction(4, 10), 3: Fraction(1, 2)}
    assert shown(tracker, (ELSEWHERE, 0.5, LOOKS_C), (B, 0.4, LOOKS_B)) == exactly(expected)


def test_boxes_masks_and_classes_of_the_golden_frames():
    tracker = STMaskTracker()
    out = step(tracker, (A, 0.9, LOOKS_A, 5), (B, 0.8, LOOKS_B, 7))
    # padded 32 x 32 to an output of twice the unpadded size: fractions times 64 along both axes
    assert out.pred_boxes.tensor.tolist() == [[0, 0, 32, 16], [32, 16, 64, 32]]
    assert out.pred_classes.tolist() == [5, 7] and out.pred_masks.shape == (2, 48, 64)
    # A is 4 x 2 cells and one more at its right and lower edge, a cell being 8 x 8 pixels of the output
    mask = out.pred_masks[0]
    assert mask[:16, :32].all() and not mask[28:].any() and not mask[:, 44:].any()
    later = step(tracker)
    for name in ("pred_masks", "pred_classes", "pred_ids"):
        assert torch.equal(later.get(name), out.get(name))


def test_a_match_replaces_everything_and_nothing_is_averaged():
    tracker = STMaskTracker()
    step(tracker, (A, 0.9, LOOKS_A, 5))
    near = (0.0, 0.0, 0.5, 0.3)
    out = step(tracker, (near, 0.4, (0.6, 0.8, 0.0), 6, 2.0))
    assert out.pred_ids.tolist() == [0] and out.pred_classes.tolist() == [6]
    memory = tracker.memory
    assert memory.boxes[0].tolist() == pytest.approx(near)
    assert memory.embeddings[0].tolist() == pytest.approx([0.6, 0.8, 0])
    assert memory.scores.tolist() == pytest.approx([0.4]) and memory.coefficients.tolist() == [[2.0]]
    assert memory.labels.tolist() == [6] and memory.last_seen.tolist() == [1]


def test_the_detection_of_the_higher_score_wins_not_the_better_fit():
    # (0, 0, 1/2, 1/4) against (0, 0, 1/2, 3/8): box IoU 2/3
    tracker = STMaskTracker()
    step(tracker, (A, 0.9, LOOKS_A))
    out = step(tracker, ((0.0, 0.0, 0.5, 0.375), 0.8, LOOKS_A), (A, 0.7, LOOKS_A))
    assert out.pred_ids.tolist() == [0] and out.scores.tolist() == pytest.approx([0.8])
    assert out.pred_boxes.tensor.tolist() == [[0, 0, 32, 24]] and len(tracker.memory) == 1


def test_score_decays_until_the_threshold():
    # 6/100 * (19/20)^k: k = 3 gives 0.05144, k = 4 gives 0.04887
    tracker = STMaskTracker()
    assert shown(tracker, (A, 0.06, LOOKS_A)) == exactly({0: Fraction(6, 100)})
    for k in (1, 2, 3):
        assert shown(tracker) == exactly({0: Fraction(6, 100) * DECAY**k})
    assert shown(tracker) == {}


def test_a_weak_or_empty_detection_is_remembered_but_not_shown():
    tracker = STMaskTracker()
    assert shown(tracker, (A, 0.04, LOOKS_A), (B, 0.9, LOOKS_B, 3, HOLLOW)) == {}
    # object 0 gets a better score, object 1 is seen at its place: 1/2 * 2 + 0 + 2 * 1 = 3 > 7/5
    assert shown(tracker, (A, 0.9, LOOKS_A), (B, 0.8, LOOKS_B)) == exactly({0: Fraction(9, 10), 1: Fraction(8, 10)})


def test_box_overlap_decides_at_three_tenths_when_looks_say_nothing():
    # Cosine 0 and box IoU only: 1/2 + 2 x against 1/2 + 2 * 3/10.
    for top, expected in ((Fraction(1, 2), [0]), (Fraction(11, 20), [0, 1])):
        # heights of 1, shifted by `top`: IoU (1 - top) / (1 + top) = 1/3 or 9/31 = 0.29
        tracker = STMaskTracker(match_coeff=(0, 0, 2, 0))
        step(tracker, ((0.0, 0.0, 0.5, 0.5), 0.9, LOOKS_A))
        moved = (0.0, float(top) / 2, 0.5, 0.5 + float(top) / 2)
        assert step(tracker, (moved, 0.9, LOOKS_B)).pred_ids.tolist() == expected


def test_masks_are_those_of_the_shifted_objects():
    # The object moves by half an image; only where it went it is found by its mask.
    def to_the_right(earlier, later, boxes, coefficients):
        return boxes + torch.tensor([0.5, 0.0, 0.5, 0.0]), coefficients

    right = (0.5, 0.0, 1.0, 0.25)
    for place, expected in ((right, [0]), (A, [0, 1])):
        tracker = STMaskTracker(match_coeff=(0, 1, 0, 0))
        step(tracker, (A, 0.9, LOOKS_A))
        out = step(tracker, (place, 0.8, LOOKS_B), shift=to_the_right)
        assert out.pred_ids.tolist() == expected


def test_shift_sees_the_features_of_both_frames_once_a_frame_and_all_objects():
    calls = []

    def spy(earlier, later, boxes, coefficients):
        calls.append((earlier.shared.max().item(), later.correlated.max().item(), len(boxes)))
        return boxes, coefficients

    tracker = STMaskTracker()
    rows = [(), ((A, 0.9, LOOKS_A), (B, 0.8, LOOKS_B)), (), ((C, 0.9, LOOKS_C),), ()]
    for number, found in enumerate(rows):
        tracker.observe(frame(number), spy)
        tracker.update(detections(*found))
    # nothing is remembered before frame 2; a frame without detections counts as the earlier one too
    assert calls == [(1, 2, 2), (2, 3, 2), (3, 4, 3)]


def test_objects_whose_centre_is_in_the_padding_are_left_out():
    below = (0.0, 0.75, 0.5, 1.0)
    tracker = STMaskTracker()
    assert shown(tracker, (below, 0.9, LOOKS_A), (B, 0.8, LOOKS_B)) == exactly({1: Fraction(8, 10)})


def test_forgetting_keeps_ids_unused():
    for prune_after, expected in ((12, [0]), (11, [1])):
        tracker = STMaskTracker(prune_after=prune_after)
        step(tracker, (A, 0.9, LOOKS_A))
        for _ in range(11):
            step(tracker)
        # twelve frames after it was seen
        assert step(tracker, (A, 0.9, LOOKS_A)).pred_ids.tolist() == expected
        assert len(tracker.memory) == 1


def test_propagation_without_limit_is_the_papers_rule():
    tracker = STMaskTracker(max_propagate=-1, shift_decay=1.0)
    step(tracker, (A, 0.9, LOOKS_A))
    for _ in range(50):
        assert shown(tracker) == exactly({0: Fraction(9, 10)})


def test_without_fusion_only_detections_are_shown_and_nothing_decays():
    tracker = STMaskTracker()
    assert shown(tracker, (A, 0.9, LOOKS_A), (B, 0.8, LOOKS_B), shift=None) == exactly({0: 0.9, 1: 0.8})
    assert shown(tracker, (B, 0.7, LOOKS_B), shift=None) == exactly({1: 0.7})
    assert shown(tracker, shift=None) == {}
    assert tracker.memory.scores.tolist() == pytest.approx([0.9, 0.7])
    assert shown(tracker, (C, 0.6, LOOKS_C), (A, 0.5, LOOKS_A), shift=None) == exactly({0: 0.5, 2: 0.6})


def test_without_fusion_ids_ascend_and_the_loser_is_dropped():
    tracker = STMaskTracker()
    step(tracker, (A, 0.9, LOOKS_A), (B, 0.8, LOOKS_B), shift=None)
    out = step(tracker, (B, 0.9, LOOKS_B), (A, 0.8, LOOKS_A), (A, 0.7, LOOKS_A), shift=None)
    assert out.pred_ids.tolist() == [0, 1] and out.scores.tolist() == pytest.approx([0.8, 0.9])


def test_without_fusion_a_detection_over_two_objects_does_not_change_what_is_remembered():
    # two objects that share most of their area, told apart by their looks
    tracker = STMaskTracker()
    left, right = (0.0, 0.0, 0.5, 0.5), (0.125, 0.0, 0.625, 0.5)
    step(tracker, (left, 0.9, LOOKS_A), (right, 0.8, LOOKS_B), shift=None)
    out = step(tracker, (left, 0.6, LOOKS_A, 8), shift=None)
    assert out.pred_ids.tolist() == [0] and out.pred_classes.tolist() == [8]
    assert out.scores.tolist() == pytest.approx([0.6])
    assert tracker.memory.scores.tolist() == pytest.approx([0.9, 0.8]) and tracker.memory.labels.tolist() == [3, 3]
    assert tracker.memory.last_seen.tolist() == [1, 0]
    # with fusion it does
    fused = STMaskTracker()
    step(fused, (left, 0.9, LOOKS_A), (right, 0.8, LOOKS_B))
    step(fused, (left, 0.6, LOOKS_A, 8))
    assert fused.memory.labels.tolist() == [8, 3]


def test_input_is_not_changed_and_later_changes_of_it_do_not_reach_the_memory():
    tracker, found = STMaskTracker(), detections((A, 0.9, LOOKS_A))
    before = {name: value.clone() for name, value in found.get_fields().items()}
    tracker.observe(frame(), stay)
    out = tracker.update(found)
    assert all(torch.equal(value, found.get(name)) for name, value in before.items())
    assert set(found.get_fields()) == set(before)
    for value in found.get_fields().values():
        value.fill_(0)
    out.pred_boxes.tensor.fill_(0), out.scores.fill_(0), out.pred_ids.fill_(9)
    memory = tracker.memory
    assert memory.boxes.tolist() == [list(A)] and memory.scores.tolist() == pytest.approx([0.9])
    assert memory.ids.tolist() == [0] and memory.coefficients.tolist() == [[SOLID]] and memory.masks.any()
    tracker.observe(frame(), stay)
    tracker.update(detections((A, 0.8, LOOKS_A))).scores.fill_(0)
    assert memory.scores.tolist() == pytest.approx([0.8])


BOXES = st.sampled_from([A, B, C, (0.0, 0.0, 1.0, 1.0), (0.25, 0.125, 0.75, 0.375), (0.0, 0.75, 1.0, 1.0)])
ROWS = st.tuples(BOXES, st.floats(0.01, 1), st.sampled_from([LOOKS_A, LOOKS_B, LOOKS_C, (0.6, 0.8, 0.0)]),
                 st.integers(0, 2), st.sampled_from([SOLID, HOLLOW]))


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.lists(ROWS, max_size=4), max_size=8), st.booleans(),
    st.sampled_from([(10, -1), (2, 2), (2, 3), (0, 0)]),
)
def test_ids_are_unique_ascend_and_are_never_reused(frames, fused, limits):
    max_propagate, prune_after = limits
    tracker = STMaskTracker(max_propagate=max_propagate, prune_after=prune_after)
    started, memory_ids, last_classes = 0, set(), {}
    for rows in frames:
        found = detections(*sorted(rows, key=lambda row: -row[1]))
        tracker.observe(frame(), stay if fused else None)
        gone = memory_ids - set(tracker.memory.ids.tolist())
        out = tracker.update(found)
        ids = tracker.memory.ids.tolist()
        assert ids == sorted(set(ids)) and not gone & set(ids)
        fresh = [i for i in ids if i >= started]
        assert fresh == list(range(started, started + len(fresh)))
        started += len(fresh)
        memory_ids |= set(ids)
        shown_ids = out.pred_ids.tolist()
        assert shown_ids == sorted(set(shown_ids)) and set(shown_ids) <= set(ids)
        assert (out.scores > 0.05).all() and out.pred_masks.shape == (len(out), 48, 64)
        if not fused:
            assert len(out) <= len(found)
        for name in tracker.memory.ROW_NAMES:
            assert len(getattr(tracker.memory, name)) == len(ids)
    if prune_after < 0:
        assert len(tracker.memory) == started
    if frames and not fused and prune_after < 0:
        assert started <= sum(len(rows) for rows in frames)


@settings(max_examples=30, deadline=None)
@given(st.lists(ROWS, max_size=4), st.randoms(use_true_random=False))
def test_order_of_the_detections_does_not_matter_for_known_objects(rows, random):
    rows = [(*row[:1], score, *row[2:]) for row, score in zip(rows, (0.9, 0.8, 0.7, 0.6))]  # no ties
    first, second = STMaskTracker(), STMaskTracker()
    for tracker in (first, second):
        step(tracker, (A, 0.9, LOOKS_A), (B, 0.8, LOOKS_B), (C, 0.7, LOOKS_C))
    shuffled = list(rows)
    random.shuffle(shuffled)
    known = [{i: s for i, s in shown(t, *r).items() if i < 3} for t, r in ((first, rows), (second, shuffled))]
    assert known[0] == known[1]


def test_memory_does_not_grow_with_the_video():
    tracker = STMaskTracker()
    for _ in range(200):
        step(tracker, (A, 0.9, LOOKS_A), (B, 0.8, LOOKS_B))
    assert len(tracker.memory) == 2 and tracker.memory.masks.shape == (2, 8, 8)


@pytest.mark.parametrize("bad", [math.nan, math.inf])
@pytest.mark.parametrize("first_frame", [True, False])
def test_embeddings_that_are_not_finite_are_refused(bad, first_frame):
    tracker = STMaskTracker()
    if not first_frame:
        step(tracker, (A, 0.9, LOOKS_A))
    with pytest.raises(FloatingPointError, match=r"detections \[1\]"):
        step(tracker, (A, 0.9, LOOKS_A), (B, 0.8, (bad, 0.0, 0.0)))


def test_missing_field_is_named():
    tracker, found = STMaskTracker(), detections((A, 0.9, LOOKS_A))
    found.remove("mask_coefficients")
    tracker.observe(frame(), stay)
    with pytest.raises(KeyError, match="mask_coefficients"):
        tracker.update(found)


def test_update_needs_a_frame():
    with pytest.raises(RuntimeError, match="observe"):
        STMaskTracker().update(detections())


@pytest.mark.parametrize(
    "wrong, key",
    [
        ({"match_coeff": (1, 2, 3)}, "MATCH_COEFF"),
        ({"shift_decay": 0.0}, "SHIFT_DECAY"),
        ({"shift_decay": 1.5}, "SHIFT_DECAY"),
        ({"prune_after": 5}, "PRUNE_AFTER"),
    ],
)
def test_wrong_settings_name_their_key(wrong, key):
    with pytest.raises(ValueError, match=key):
        STMaskTracker(**wrong)


def test_config_sets_every_switch():
    cfg = CfgNode({"MODEL": {}})
    add_stmask_config(cfg)
    defaults = vars(STMaskTracker()).copy()
    from_cfg = vars(STMaskTracker(cfg))
    plain = [name for name, value in defaults.items() if isinstance(value, (int, float, tuple))]
    assert {name: from_cfg[name] for name in plain} == {name: defaults[name] for name in plain}
    node = cfg.MODEL.STMASK.TEST
    node.MATCH_COEFF, node.DUMMY_IOU, node.COS_RESCALE = (0.0, 0.7, 0.3, 0.0), 0.4, False
    node.SHIFT_DECAY, node.MAX_PROPAGATE, node.MIN_MASK_PIXELS = 0.8, 5, 2
    node.SCORE_THRESH, node.PRUNE_AFTER = 0.1, 20
    tracker = STMaskTracker(cfg)
    assert (tracker.match_coeff, tracker.dummy_iou, tracker.cos_rescale) == ((0.0, 0.7, 0.3, 0.0), 0.4, False)
    assert (tracker.shift_decay, tracker.max_propagate, tracker.min_mask_pixels) == (0.8, 5, 2)
    assert (tracker.score_threshold, tracker.prune_after) == (0.1, 20)
