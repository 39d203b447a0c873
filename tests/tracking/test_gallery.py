"""The gallery keeps the latest vectors of each track and finds the nearest of them."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vis_projects.tracking import AppearanceGallery

X, Y, DIAGONAL = np.array([[1.0, 0.0], [0.0, 1.0], [0.6, 0.8]])


def ids(*values):
    return np.array(values, dtype=np.int64)


def test_empty():
    gallery = AppearanceGallery(3)
    gallery.add(ids(), np.zeros((0, 2)))
    gallery.retain(ids())
    assert len(gallery) == 0
    assert gallery.distances(ids(), np.array([X])).shape == (0, 1)


def test_nearest_of_a_track():
    gallery = AppearanceGallery(3)
    gallery.add(ids(4, 7), np.array([X, Y]))
    gallery.add(ids(7), np.array([DIAGONAL]))
    # 1 - cosine; the rows in the order asked for
    found = gallery.distances(ids(7, 4), np.array([X, Y]))
    assert found == pytest.approx(np.array([[0.4, 0.0], [0.0, 1.0]]), abs=1e-7)
    assert gallery.distances(ids(4), np.zeros((0, 2))).shape == (1, 0)


def test_only_the_latest_are_kept():
    gallery = AppearanceGallery(2)
    for vector in (X, Y, Y):
        gallery.add(ids(1), np.array([vector]))
    gallery.add(ids(0), np.array([X]))
    assert len(gallery) == 3
    assert gallery.distances(ids(1), np.array([X]))[0, 0] == pytest.approx(1.0)


def test_forgotten_tracks_are_gone():
    gallery = AppearanceGallery(2)
    gallery.add(ids(0, 1, 2), np.array([X, Y, X]))
    gallery.retain(ids(1))
    assert len(gallery) == 1
    assert gallery.distances(ids(1), np.array([Y]))[0, 0] == pytest.approx(0.0, abs=1e-7)


@given(st.lists(st.sets(st.integers(0, 4), max_size=5), max_size=8), st.integers(1, 3))
@settings(max_examples=60, deadline=None)
def test_equals_lists_of_vectors(frames, size):
    rng, gallery, lists = np.random.default_rng(0), AppearanceGallery(size), {}
    for frame in frames:
        owners = sorted(frame)
        vectors = rng.normal(size=(len(owners), 3))
        vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
        gallery.add(ids(*owners), vectors)
        for owner, vector in zip(owners, vectors):
            lists[owner] = [*lists.get(owner, []), vector][-size:]
    assert len(gallery) == sum(map(len, lists.values()))
    asked = rng.normal(size=(4, 3))
    asked /= np.linalg.norm(asked, axis=1, keepdims=True)
    expected = [[min(1 - vector @ other for vector in lists[owner]) for other in asked] for owner in sorted(lists)]
    found = gallery.distances(ids(*sorted(lists)), asked)
    assert found == pytest.approx(np.array(expected).reshape(-1, 4), abs=1e-6)


def test_size_is_checked():
    with pytest.raises(ValueError, match="MODEL.DEEPSORT.GALLERY_SIZE"):
        AppearanceGallery(0)
