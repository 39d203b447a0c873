"""Seeding."""

import logging
import os
import random

import numpy as np
import pytest
import torch

from detectron2.utils.env import TORCH_VERSION, fixup_module_metadata, seed_all_rng


@pytest.fixture(autouse=True)
def _restore(monkeypatch):
    """Leave the hash seed of the environment and the generators as they were."""
    monkeypatch.setenv("PYTHONHASHSEED", "0")
    states = random.getstate(), np.random.get_state(), torch.get_rng_state()
    yield
    random.setstate(states[0])
    np.random.set_state(states[1])
    torch.set_rng_state(states[2])


def _draws():
    return random.random(), np.random.rand(), torch.rand(1).item()


def test_same_seed_same_draws():
    seed_all_rng(3)
    first = _draws()
    seed_all_rng(3)
    assert _draws() == first
    assert first[0] == random.Random(3).random() and first[1] == np.random.RandomState(3).rand()
    assert os.environ["PYTHONHASHSEED"] == "3"


def test_no_seed_makes_one_and_logs_it(caplog):
    logging.getLogger("detectron2").propagate = True
    with caplog.at_level(logging.INFO, logger="detectron2.utils.env"):
        seed_all_rng()
    assert "seed" in caplog.text
    assert int(os.environ["PYTHONHASHSEED"]) > 0


def test_version_and_metadata():
    assert TORCH_VERSION == tuple(int(part) for part in torch.__version__.split(".")[:2])
    assert fixup_module_metadata("package", {}) is None
