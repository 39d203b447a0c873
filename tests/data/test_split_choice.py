"""choose_validation: the rule of a split, equal on every machine, and every class in both halves where possible."""

import os
import subprocess
import sys
from collections import Counter

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from vis_projects.data import split_choice
from vis_projects.data.split_choice import choose_validation


def classes(*sets, **strata):
    """Strata of videos 1, 2, ... that show these classes."""
    return {i + 1: {("class", c) for c in own} for i, own in enumerate(sets)}


def test_the_order_is_that_of_sha256():
    # without strata to balance the first videos in the order of SHA-256 of "2:<id>" are taken; the hashes begin with
    # 1: 70a3, 2: 1311, 3: 8e03, 4: fa70, as `printf 2:1 | sha256sum` shows: the order is 2, 1, 3, 4
    for count, chosen in ((1, {2}), (2, {2, 1}), (3, {2, 1, 3})):
        assert choose_validation({i: () for i in (4, 3, 2, 1)}, count / 4, 2) == chosen


def test_shares_are_kept():
    # 20 videos of class 1, 10 of class 2, 10 of both: of 30 and 20 videos half must go to validation, give or take one
    labels = classes(*[{1}] * 20, *[{2}] * 10, *[{1, 2}] * 10)
    val = choose_validation(labels, 0.5, 3)
    counts = Counter(label for video in val for label in labels[video])
    assert len(val) == 20 and abs(counts["class", 1] - 15) <= 1 and abs(counts["class", 2] - 10) <= 1


def test_videos_of_many_classes_are_not_preferred():
    # the mean lag counts, not its sum: a video of three classes is no better than one of one
    labels = classes(*[{1, 2, 3}] * 50, *[{4}] * 50)
    val = choose_validation(labels, 0.2, 0)
    assert sum(video <= 50 for video in val) == 10


def test_a_rare_class_gives_one_video():
    labels = classes(*[{1}] * 38, {2}, {2})
    val = choose_validation(labels, 0.1, 0)
    assert len(val) == 4 and len(val & {39, 40}) == 1


def test_an_id_may_stand_for_several_videos():
    labels = classes(*[{1}] * 10)
    val = choose_validation(labels, 0.5, 0, sizes={i: 3 if i == 1 else 1 for i in labels})
    assert sum(3 if i == 1 else 1 for i in val) in (6, 7, 8)


def test_where_no_split_shows_every_class_twice_it_still_splits(caplog):
    # each of three classes is shared by two of three videos: one class must stay on one side
    val = choose_validation(classes({1, 2}, {1, 3}, {2, 3}), 0.3, 0)
    assert 0 < len(val) < 3
    assert "1 classes in both halves" in caplog.text


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.sets(st.integers(1, 6), max_size=3), min_size=2, max_size=9), st.floats(0.05, 0.6), st.integers(0, 50)
)
def test_every_class_of_two_videos_is_in_both_halves_where_that_is_possible(sets, fraction, seed):
    labels = classes(*sets)
    totals = Counter(label for video in labels.values() for label in video)
    bound = [label for label, count in totals.items() if count >= 2]

    def whole(val):
        counts = Counter(label for video in val for label in labels[video])
        return all(0 < counts[label] < totals[label] for label in bound)

    subsets = ({i for i in labels if code >> i & 1} for code in range(2, 2 ** (len(labels) + 1) - 2, 2))
    assume(any(whole(val) for val in subsets))
    val = choose_validation(labels, fraction, seed)
    assert whole(val) and 0 < len(val) < len(labels)


@pytest.mark.parametrize("balance", ["()", "('class', 'length')"])
def test_processes_agree_whatever_they_hash_by(balance):
    # sets of strings are walked through in another order in each process
    code = (
        f"import runpy; choose = runpy.run_path({split_choice.__file__!r})['choose_validation']\n"
        "labels = {i: {('class', i * i % 7), ('class', i % 5), ('length', i % 3)} for i in range(80)}\n"
        "labels.update({i: {('class', i // 2)} for i in range(100, 120)})\n"
        f"print(sorted(choose(labels, 0.2, 5, balance={balance})))"
    )
    printed = {subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True,
                              env={**os.environ, "PYTHONHASHSEED": str(seed)}).stdout for seed in (0, 1, 2)}
    assert len(printed) == 1
