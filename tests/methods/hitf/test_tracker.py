"""Identities: slots, hand-over, conflicts, gaps; and their invariants on random videos."""

import pytest
import torch
from detectron2.structures import Instances
from hypothesis import given, settings
from hypothesis import strategies as st

from vis_projects.methods.hitf import HITFTracker

WIDTH = 12


def frame(*objects, classes=None):
    """Objects of (slot, first pixel, number of pixels) on a row of 12 pixels."""
    made = Instances((1, WIDTH))
    made.slots = torch.tensor([o[0] for o in objects], dtype=torch.int64)
    made.pred_classes = torch.tensor(classes or [0] * len(objects), dtype=torch.int64)
    made.pred_masks = torch.zeros(len(objects), 1, WIDTH, dtype=torch.bool)
    for k, (_, start, length) in enumerate(objects):
        made.pred_masks[k, 0, start : start + length] = True
    return made


def run(*frames, **options):
    tracker = HITFTracker(**options)
    return [tracker.update(f).pred_ids.tolist() for f in frames]


def test_the_slot_is_the_identity_however_far_the_object_moves():
    assert run(frame((3, 0, 3), (5, 6, 3)), frame((3, 9, 3), (5, 3, 3))) == [[0, 1], [0, 1]]


def test_objects_that_exchange_slots_keep_their_identities_by_their_masks():
    assert run(frame((0, 0, 4), (1, 6, 4)), frame((1, 0, 4), (0, 6, 4))) == [[0, 1], [0, 1]]


def test_with_hand_over_off_the_slot_decides():
    assert run(frame((0, 0, 4), (1, 6, 4)), frame((1, 0, 4), (0, 6, 4)), handover_iou=1.0) == [[0, 1], [1, 0]]


@pytest.mark.parametrize("shift, expected", [(1, 0), (2, 1)])
def test_an_overlap_of_exactly_one_half_is_no_hand_over(shift, expected):
    # 6 pixels moved by 1: 5/7 > 1/2; by 2: 4/8 = 1/2
    assert run(frame((0, 0, 6)), frame((1, shift, 6)))[1] == [expected]


def test_a_newcomer_in_a_slot_whose_identity_was_handed_over_gets_a_new_one():
    # the object of slot 0 moves on in slot 1, and slot 0 shows another object
    assert run(frame((0, 0, 4)), frame((1, 0, 4), (0, 8, 4))) == [[0], [0, 1]]


def test_after_a_hand_over_the_new_slot_has_the_identity():
    assert run(frame((0, 0, 4)), frame((1, 0, 4)), frame((1, 8, 4)), frame((0, 0, 2))) == [[0], [0], [0], [1]]


def test_an_object_comes_back_in_its_slot_after_any_gap():
    empty = frame()
    assert run(frame((2, 0, 4)), *[empty] * 30, frame((2, 7, 4)))[-1] == [0]


@pytest.mark.parametrize("gap, expected", [(2, 0), (3, 1)])
def test_a_bounded_gap(gap, expected):
    assert run(frame((2, 0, 4)), *[frame()] * gap, frame((2, 7, 4)), reuse_gap=2)[-1] == [expected]


def test_a_gap_of_zero_asks_for_no_empty_frame():
    assert run(frame((2, 0, 4)), frame((2, 8, 4)), frame(), frame((2, 0, 4)), reuse_gap=0) == [[0], [0], [], [1]]


@pytest.mark.parametrize("label, expected", [(4, 0), (1, 1)])
def test_a_slot_that_was_empty_may_have_to_keep_its_class(label, expected):
    frames = (frame((2, 0, 4), classes=[4]), frame(), frame((2, 7, 4), classes=[label]))
    assert run(*frames, reuse_same_class=True)[-1] == [expected]
    # without an empty frame in between the class may change
    assert run(frames[0], frames[2], reuse_same_class=True)[-1] == [0]


def test_masks_without_a_slot_are_followed_by_overlap_alone():
    assert run(frame((-1, 0, 4), (-1, 6, 4)), frame((-1, 6, 4), (-1, 10, 1))) == [[0, 1], [1, 2]]


def test_overlapping_given_masks_hand_over_one_to_one_the_larger_overlap_first():
    # both masks now overlap the one before, 5/6 and 6/6
    assert run(frame((0, 0, 6)), frame((1, 0, 5), (2, 0, 6))) == [[0], [1, 0]]


def test_frames_without_objects_and_fields_that_are_kept():
    tracker = HITFTracker()
    assert len(tracker.update(frame())) == 0
    given_one = frame((0, 0, 3))
    kept = tracker.update(given_one)
    assert not given_one.has("pred_ids") and torch.equal(kept.pred_masks, given_one.pred_masks)


def test_what_is_broken_is_named():
    bad = frame((0, 0, 3))
    bad.remove("slots")
    with pytest.raises(KeyError, match="slots"):
        HITFTracker().update(bad)
    with pytest.raises(ValueError, match="slot occurs twice"):
        HITFTracker().update(frame((0, 0, 3), (0, 4, 3)))


@st.composite
def videos(draw):
    """Frames of disjoint masks: 12 pixels cut into runs, each given to a slot of its own or to none."""
    made = []
    for _ in range(draw(st.integers(1, 8))):
        cuts = sorted(draw(st.sets(st.integers(1, WIDTH - 1), max_size=4)))
        starts = [0, *cuts]
        lengths = [end - start for start, end in zip(starts, [*cuts, WIDTH])]
        chosen = draw(st.permutations(range(6)))
        shown = [(slot, start, length) for slot, start, length in zip(chosen, starts, lengths) if draw(st.booleans())]
        made.append(frame(*shown))
    return made


@settings(max_examples=150, deadline=None)
@given(videos(), st.sampled_from([-1, 0, 2]), st.sampled_from([0.5, 1.0]))
def test_invariants_on_random_videos(frames, gap, handover):
    tracker = HITFTracker(reuse_gap=gap, handover_iou=handover)
    highest = -1
    before: list = []
    for made in frames:
        tracked = tracker.update(made)
        ids = tracked.pred_ids.tolist()
        assert len(ids) == len(made) == len(set(ids)) and min(ids, default=0) >= 0
        new = [i for i in ids if i > highest]
        # new identities count up from the highest one ever given, so none is used twice
        assert new == list(range(highest + 1, highest + 1 + len(new)))
        highest = max([highest, *ids])
        stored = list(tracker._of_slot.values())
        assert len(stored) == len(set(stored))
        if handover < 1:
            for row, mask in enumerate(made.pred_masks):
                for known, other in before:
                    if (mask & other).sum() * 2 > (mask | other).sum():
                        assert ids[row] == known
        before = list(zip(ids, made.pred_masks))
