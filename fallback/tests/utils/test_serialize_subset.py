"""PicklableWrapper without cloudpickle."""

import pickle
import sys

import pytest

from detectron2.utils.serialize import PicklableWrapper


def test_says_what_is_missing(monkeypatch):
    monkeypatch.setitem(sys.modules, "cloudpickle", None)
    assert pickle.loads(pickle.dumps(PicklableWrapper(len))) is len
    with pytest.raises(pickle.PicklingError, match="pip install cloudpickle"):
        pickle.dumps(PicklableWrapper(lambda x: x + 1))
