"""AP of few tracks by hand: precision p up to recall r gives p times the share of the 101 recall points up to r."""

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from tests.evaluation.loaded_world import loaded_world
from tests.evaluation.worlds import bar, found, ground_truth, random_world, truth, world_json
from vis_projects.evaluation import evaluate_json
from vis_projects.evaluation.error_kinds import error_kinds
from vis_projects.evaluation.error_report import ALL_KINDS, error_report, mended_ap

A, B, C = bar(0, 3), bar(3, 6), bar(6, 10)


def report(truths, results, **kwargs):
    return error_report(loaded_world(results, ground_truth(truths, length=4, **kwargs)))


def gains(outcome, column="AP"):
    found_gains = {kind: gain[column] for kind, gain in outcome.gains.items()}
    return {kind: pytest.approx(gain, abs=1e-9) for kind, gain in found_gains.items() if abs(gain) > 1e-9}


def test_a_perfect_result_gains_nothing():
    outcome = report([truth(1, [A] * 4)], [found([A] * 4)])
    assert gains(outcome) == {} and outcome.ap == pytest.approx({"AP": 1, "AP50": 1, "AP75": 1})
    assert set(outcome.counts.values()) == {0} and list(outcome.counts) == list(ALL_KINDS)


def test_missed_and_background():
    # one of two found, below a false one: precision 1/2 at 51 of 101 points
    outcome = report([truth(1, [A] * 4), truth(2, [B] * 4)], [found([C] * 4, 0.9), found([A] * 4, 0.8)])
    ap = 51 / 101 / 2
    assert outcome.ap["AP"] == pytest.approx(ap)
    # without the false one: precision 1; without the missed one: precision 1/2 at all points
    assert gains(outcome) == {"background": 51 / 101 - ap, "missed": 1 / 2 - ap}
    assert (outcome.counts["background"], outcome.counts["missed"]) == (1, 1)


def test_everything_missed():
    outcome = report([truth(1, [A] * 4)], [])
    assert outcome.ap["AP"] == 0 and gains(outcome) == {"missed": 1}


def test_wrong_class():
    # class 1: nothing found; class 2: its object found below the wrongly named one, precision 1/2: AP (0 + 1/2) / 2.
    # The right name gives class 1 its object and class 2 precision 1.
    truths = [truth(1, [A] * 4), truth(2, [B] * 4, category=2)]
    outcome = report(truths, [found([A] * 4, 0.9, category=2), found([B] * 4, 0.8, category=2)], categories=(1, 2))
    assert outcome.ap["AP"] == pytest.approx(1 / 4) and gains(outcome) == {"classification": 3 / 4}


def test_changed_places_are_association():
    # IoU 3 * 3 / (3 * 3 + 3 + 4) = 9/16 of A, 12/19 of C: A right at 0.5, 0.55; C at 0.5, 0.55, 0.6.
    # 0.5, 0.55: AP 1. 0.6: C with the lower score behind a wrong one: precision 1/2 at 51 points. Above: 0.
    outcome = report([truth(1, [A] * 4), truth(2, [C] * 4)], [found([A, A, A, C], 0.9), found([C, C, C, A], 0.8)])
    ap = (2 + 51 / 101 / 2) / 10
    assert outcome.ap["AP"] == pytest.approx(ap) and gains(outcome) == {"association": 1 - ap}
    assert gains(outcome, "AP50") == {} and gains(outcome, "AP75") == {"association": 1}
    assert outcome.counts["association"] == 0, "counted at 0.5"


def test_pieces_become_one_and_the_other_is_taken_away():
    # 3 of 4 frames and the fourth: the longer one is right at 0.5 ... 0.75, above a wrong piece: AP 1; else 0
    pieces = [found([A, A, A, None], 0.9), found([None, None, None, A], 0.8)]
    outcome = report([truth(1, [A] * 4)], pieces)
    assert outcome.ap["AP"] == pytest.approx(6 / 10) and gains(outcome) == {"association": 4 / 10}
    # with the short piece first it is wrong at 0.5 ... 0.75 too: precision 1/2
    pieces[1]["score"] = 0.95
    outcome = report([truth(1, [A] * 4)], pieces)
    assert outcome.ap["AP"] == pytest.approx(6 / 20) and gains(outcome) == {"association": 14 / 20}


def test_missing_frame_is_segmentation():
    # 3 of 4 frames: right at 0.5 ... 0.75
    outcome = report([truth(1, [A] * 4)], [found([A, A, None, A])])
    assert outcome.ap["AP"] == pytest.approx(6 / 10) and gains(outcome) == {"segmentation": 4 / 10}


def test_duplicates_and_double_faults():
    # a second find above the object of class 1 that comes later in the list: A 0.9, A again 0.8, B 0.7:
    # precision 1 at 51 points, then 2/3 at 50
    outcome = report([truth(1, [A] * 4), truth(2, [B] * 4)],
                     [found([A] * 4, 0.9), found([A] * 4, 0.8), found([B] * 4, 0.7)])
    ap = (51 + 50 * 2 / 3) / 101
    assert outcome.ap["AP"] == pytest.approx(ap) and gains(outcome) == {"duplicate": 1 - ap}
    # on an object of another class (1 of 3 pixels), above the object of its own class
    truths = [truth(1, [A] * 4), truth(2, [B] * 4, category=2)]
    results = [found([bar(0, 1)] * 4, 0.9, category=2), found([A] * 4, 0.8), found([B] * 4, 0.8, category=2)]
    outcome = report(truths, results, categories=(1, 2))
    assert outcome.ap["AP"] == pytest.approx(3 / 4) and gains(outcome) == {"class and mask": 1 / 4}


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10**6))
def test_nothing_mended_is_ap_and_everything_mended_is_perfect(seed):
    gt, results = world_json(random_world(seed), seed)
    assume(gt["annotations"])
    world = loaded_world(results, gt)
    outcome = evaluate_json(results, gt)
    num_classes = len(world.truth.categories)
    for name, found_kinds in zip(("AP50", "AP75"), error_kinds(world, (0.5, 0.75))):
        assert mended_ap(found_kinds, num_classes) == pytest.approx(max(outcome.stats[name], 0), abs=1e-9)
        if outcome.stats[name] > -1:
            assert mended_ap(found_kinds, num_classes, ALL_KINDS) == pytest.approx(1, abs=1e-9)
            for kind in ALL_KINDS:
                assert mended_ap(found_kinds, num_classes, [kind]) >= mended_ap(found_kinds, num_classes) - 1e-9


def test_table():
    lines = report([truth(1, [A] * 4), truth(2, [B] * 4)], [found([A] * 4)]).text().splitlines()
    assert lines[0] == "Where AP is lost (AP 50.5, AP50 50.5, AP75 50.5), in percent:"
    assert lines[-1].split() == ["missed", "1", "+49.5", "+49.5", "+49.5"]
    assert len(lines) == 3 + len(ALL_KINDS)
