"""File formats, key matching and the reports of loading."""

import pickle

import numpy as np
import pytest
import torch
from detectron2.checkpoint import DetectionCheckpointer
from torch import nn


class Stem(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(1, 2, 1, bias=False)


class Model(nn.Module):
    def __init__(self):
        super().__init__()
        self.stem = Stem()
        self.fc = nn.Linear(2, 3)
        self.register_buffer("pixel_mean", torch.zeros(3), persistent=False)


def ones():
    return {key: np.ones(value.shape, np.float32) for key, value in Model().state_dict().items()}


def load(path, content, query=""):
    """The checkpoint's other content and the model after loading; torch for .pth, else pickle."""
    if path.suffix == ".pkl":
        path.write_bytes(pickle.dumps(content, protocol=2))
    else:
        torch.save(content, path)
    model = Model()
    for parameter in model.parameters():
        nn.init.constant_(parameter, 7.0)
    rest = DetectionCheckpointer(model).load(str(path) + query)
    return rest, {key: value.flatten()[0].item() for key, value in model.state_dict().items()}


def test_save_and_load_with_extra_content(tmp_path):
    model = Model()
    checkpointer = DetectionCheckpointer(model, str(tmp_path))
    checkpointer.save("a", iteration=5)
    assert checkpointer.has_checkpoint() and checkpointer.get_checkpoint_file().endswith("a.pth")
    other = Model()
    assert DetectionCheckpointer(other).load(str(tmp_path / "a.pth"))["iteration"] == 5
    assert torch.equal(other.fc.weight, model.fc.weight)


def test_nothing_to_load_and_missing_file(tmp_path):
    assert DetectionCheckpointer(Model()).load("") == {}
    checkpointer = DetectionCheckpointer(Model())
    with pytest.raises(AssertionError):
        checkpointer.load(str(tmp_path / "none.pth"))
    with pytest.raises(AssertionError):  # unusable after a failed load
        checkpointer.load("")


def test_zoo_pickle_and_bare_state_dict(tmp_path):
    _, loaded = load(tmp_path / "zoo.pkl", {"model": ones(), "__author__": "zoo"})
    assert set(loaded.values()) == {1.0}
    _, loaded = load(tmp_path / "bare.pth", {key: torch.from_numpy(value) for key, value in ones().items()})
    assert set(loaded.values()) == {1.0}


def test_missing_and_wrongly_shaped_keys_stay_as_they_were(tmp_path):
    weights = ones()
    del weights["fc.bias"]
    weights["fc.weight"] = np.ones((4, 2), np.float32)
    _, loaded = load(tmp_path / "part.pkl", {"model": weights, "__author__": "zoo"})
    assert loaded == {"stem.conv1.weight": 1.0, "fc.weight": 7.0, "fc.bias": 7.0}


def test_suffix_matching_on_request(tmp_path):
    short = {key.removeprefix("stem."): torch.from_numpy(value) for key, value in ones().items()}
    _, loaded = load(tmp_path / "a.pth", {"model": short})
    assert loaded["stem.conv1.weight"] == 7.0
    _, loaded = load(tmp_path / "a.pth", {"model": short}, "?matching_heuristics=True")
    assert loaded["stem.conv1.weight"] == 1.0
    with pytest.raises(ValueError):
        load(tmp_path / "a.pth", {"model": short}, "?other=1")


def test_one_key_for_two_parameters_is_ambiguous(tmp_path):
    class Two(nn.Module):
        def __init__(self):
            super().__init__()
            self.a, self.b = nn.Linear(1, 1), nn.Linear(1, 1)

    path = tmp_path / "a.pkl"
    path.write_bytes(pickle.dumps({"model": {"weight": np.ones((1, 1), np.float32)}, "__author__": "zoo",
                                   "matching_heuristics": True}))
    with pytest.raises(ValueError):
        DetectionCheckpointer(Two()).load(str(path))


def test_caffe2_blobs_are_renamed(tmp_path):
    rest, loaded = load(tmp_path / "c2.pkl", {"blobs": {"conv1_w": np.ones((2, 1, 1, 1), np.float32),
                                                       "conv1_w_momentum": np.ones(1, np.float32)}})
    assert rest["__author__"] == "Caffe2" and loaded["stem.conv1.weight"] == 1.0


def test_pyth_files_hold_model_state(tmp_path):
    _, loaded = load(tmp_path / "a.pyth", {"model_state": {key: torch.from_numpy(v) for key, v in ones().items()}})
    assert set(loaded.values()) == {1.0}


def test_checkpointables_are_restored_on_request(tmp_path):
    class Counter:
        def __init__(self, value):
            self.value = value

        def state_dict(self):
            return {"value": self.value}

        def load_state_dict(self, state):
            self.value = state["value"]

    model = Model()
    DetectionCheckpointer(model, str(tmp_path), trainer=Counter(9)).save("a")
    restored, untouched = Counter(1), Counter(1)
    DetectionCheckpointer(Model(), trainer=restored).load(str(tmp_path / "a.pth"))
    rest = DetectionCheckpointer(Model(), trainer=untouched).load(str(tmp_path / "a.pth"), checkpointables=[])
    assert restored.value == 9 and untouched.value == 1 and rest["trainer"] == {"value": 9}
