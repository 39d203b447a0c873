from math import sqrt

import pytest

from tests.evaluation.loaded_world import loaded_world
from tests.evaluation.worlds import bar, found, ground_truth, truth
from vis_projects.evaluation.tracking_report import tracking_report

A, B = bar(0, 5), bar(5, 10)
NAMES = {1: "cat", 2: "dog", 3: "cow"}


def report(results, gt):
    return tracking_report(loaded_world(results, gt).facts.values(), NAMES, 0.3)


def test_classes_their_mean_and_the_pool():
    # cat: perfect, 4 frames. dog: followed by two tracks, 3 frames and 1: DetA 1, AssA (3 * 3/4 + 1/4) / 4 = 5/8.
    # cow: no object, a false track of 4 frames in video 2.
    gt = ground_truth([truth(1, [A] * 4), truth(2, [B] * 4, category=2)], videos=2, categories=(1, 2, 3))
    results = [found([A] * 4), found([B, B, B, None], category=2), found([None] * 3 + [B], category=2),
               found([B] * 4, video=2, category=3)]
    scores = report(results, gt)
    assert list(scores.per_class) == ["cat", "dog", "cow"]
    assert scores.per_class["cat"]["HOTA"] == 1 and scores.per_class["cow"]["HOTA"] == 0
    dog = scores.per_class["dog"]
    assert dog["HOTA"] == pytest.approx(sqrt(5 / 8)) and dog["AssA"] == pytest.approx(5 / 8)
    assert (dog["IDSW"], dog["Frag"], dog["objects"], dog["tracks"]) == (1, 0, 1, 2)
    # dog: IDTP 3, IDFN 1, IDFP 1
    assert dog["IDF1"] == pytest.approx(6 / 8)
    # classes with objects are two
    assert scores.class_mean["HOTA"] == pytest.approx((1 + sqrt(5 / 8)) / 2)
    assert scores.class_mean["IDF1"] == pytest.approx((1 + 6 / 8) / 2)
    assert (scores.class_mean["IDSW"], scores.class_mean["objects"]) == (1, 2)
    # pooled: 8 right, 4 wrong frames; AssA (4 * 1 + 4 * 5/8) / 8
    assert scores.pooled["DetA"] == pytest.approx(8 / 12) and scores.pooled["AssA"] == pytest.approx((4 + 2.5) / 8)
    # IDTP 4 + 3, IDFN 1, IDFP 1 + 4
    assert scores.pooled["IDF1"] == pytest.approx(14 / (14 + 1 + 5)) and scores.pooled["tracks"] == 4


def test_nothing_at_all():
    empty = tracking_report([], NAMES, 0.5)
    assert empty.per_class == empty.class_mean == {} and empty.pooled["HOTA"] == 0
    assert "0.5 and more" in empty.text() and "mean over classes" not in empty.text()


def test_table():
    gt = ground_truth([truth(1, [A] * 4)])
    rows = [line.split() for line in report([found([A] * 4)], gt).text().splitlines()]
    assert rows[1] == "class objects tracks HOTA DetA AssA LocA IDF1 IDP IDR IDSW Frag".split()
    assert rows[3] == ["cat", "1", "1", *["100.0"] * 7, "0", "0"]
    assert rows[-1][:3] == ["all", "objects", "pooled"]
