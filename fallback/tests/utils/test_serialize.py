"""PicklableWrapper."""

import pickle

import pytest

from detectron2.utils.serialize import PicklableWrapper


def test_behaves_like_the_object():
    assert PicklableWrapper(lambda x: x + 1)(2) == 3
    assert PicklableWrapper([1, 2]).index(2) == 1
    with pytest.raises(AttributeError):
        PicklableWrapper(3).nonsense


def test_wraps_once():
    assert PicklableWrapper(PicklableWrapper([1]))._obj == [1]


def test_unpickles_to_the_object():
    assert pickle.loads(pickle.dumps(PicklableWrapper(len))) is len


def test_lambdas():
    pytest.importorskip("cloudpickle")
    assert pickle.loads(pickle.dumps(PicklableWrapper(lambda x: x + 1)))(2) == 3
