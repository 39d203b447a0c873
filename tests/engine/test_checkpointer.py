"""Checkpoints of this model, of another one, and of somebody who wants to run code."""

import logging
import pickle
from datetime import datetime

import numpy as np
import pytest
import torch
from torch import nn

from vis_projects.engine.checkpointer import VISCheckpointer, check_safe, local_file, read_entry
from vis_projects.engine.errors import CheckpointError


def model():
    # 2 * 3 + 2 + 2 * 1 = 10 parameters
    return nn.ModuleDict({"a": nn.Linear(3, 2), "b": nn.Linear(2, 1, bias=False)})


def saved(folder, content, name="w.pth"):
    torch.save(content, folder / name)
    return str(folder / name)


def test_a_full_checkpoint(tmp_path, caplog):
    path = saved(tmp_path, {"model": model().state_dict(), "iteration": 3})
    target = VISCheckpointer(model(), min_matched=1.0)
    with caplog.at_level(logging.INFO, logger="vis_projects"):
        rest = target.load(path)
    report = target.report
    assert rest["iteration"] == 3
    assert (report.filled, report.total, report.fraction) == (10, 10, 1.0)
    assert report.missing == report.wrong_shape == report.unexpected == ()
    assert "filled 10 of 10 parameters (100.0 %)" in caplog.text


def test_missing_unexpected_and_other_shapes_are_counted_and_named(tmp_path):
    state = {"a.weight": torch.zeros(2, 3), "b.weight": torch.zeros(1, 5), "c.weight": torch.zeros(9)}
    target = VISCheckpointer(model())
    target.load(saved(tmp_path, {"model": state}))
    report = target.report
    assert (report.filled, report.total) == (6, 10)  # a.weight is 2 x 3
    assert report.missing == ("a.bias",) and report.unexpected == ("c.weight",)
    assert report.wrong_shape == (("b.weight", (1, 5), (1, 2)),)
    assert "b.weight (1, 5) in the file, (1, 2) in the model" in str(report)


def test_a_checkpoint_of_another_model_stops_with_file_and_counts(tmp_path):
    path = saved(tmp_path, {"model": {"x.weight": torch.zeros(4), "a.bias": torch.zeros(2)}})
    with pytest.raises(CheckpointError) as error:
        VISCheckpointer(model(), min_matched=0.5).load(path)
    text = str(error.value)
    assert path in text and "filled 2 of 10 parameters (20.0 %)" in text
    assert "x.weight" in text and "LOAD_MIN_MATCHED" in text


def test_nothing_in_common(tmp_path):
    with pytest.raises(CheckpointError, match="filled 0 of 10"):
        VISCheckpointer(model(), min_matched=0.1).load(saved(tmp_path, {"model": {"x": torch.zeros(1)}}))


def test_just_enough_is_loaded(tmp_path):
    target = VISCheckpointer(model(), min_matched=0.6)
    target.load(saved(tmp_path, {"model": {"a.weight": torch.zeros(2, 3)}}))
    assert target.model["a"].weight.abs().sum() == 0


def test_zoo_pickle_of_arrays(tmp_path):
    path = tmp_path / "zoo.pkl"
    arrays = {name: value.numpy() for name, value in model().state_dict().items()}
    path.write_bytes(pickle.dumps({"model": arrays, "__author__": "somebody"}))
    target = VISCheckpointer(model(), min_matched=1.0)
    target.load(str(path))
    assert np.array_equal(target.model["a"].weight.detach().numpy(), arrays["a.weight"])


class Evil:
    def __reduce__(self):
        return print, ("code ran",)


@pytest.mark.parametrize("name", ["evil.pkl", "evil.pth"])
def test_code_in_a_checkpoint_does_not_run(tmp_path, name, capsys):
    path = tmp_path / name
    if name.endswith("pkl"):
        path.write_bytes(pickle.dumps({"model": Evil()}))
    else:
        torch.save({"model": Evil()}, path)
    with pytest.raises(CheckpointError, match=rf"{name}: holds more than weights: \S*print, and"):
        VISCheckpointer(model()).load(str(path))
    assert "code ran" not in capsys.readouterr().out


@pytest.mark.parametrize("new_format", [True, False])
def test_what_is_no_plain_value_is_named_with_the_way_out(tmp_path, new_format):
    path = str(tmp_path / "w.pth")
    content = {"state_dict": {"a": torch.ones(2)}, "meta": {"started": datetime(2019, 8, 7)}}
    torch.save(content, path, _use_new_zipfile_serialization=new_format)
    with pytest.raises(CheckpointError, match=r"datetime\.datetime, and") as refused:
        check_safe(path)
    assert "1mdo those" not in str(refused.value)  # torch's own text
    # the remedy runs as it is printed
    program = str(refused.value).split("you trust: ")[1].split(", where")[0]
    exec(program.replace("plain.pth", str(tmp_path / "plain.pth")), {})
    check_safe(str(tmp_path / "plain.pth"))
    assert torch.load(tmp_path / "plain.pth", weights_only=True)["a"].tolist() == [1, 1]


def test_truncated_file(tmp_path):
    path = saved(tmp_path, {"model": model().state_dict()})
    content = open(path, "rb").read()
    open(path, "wb").write(content[: len(content) // 2])
    with pytest.raises(CheckpointError, match="w.pth: broken"):
        check_safe(path)


def test_missing_file():
    with pytest.raises(CheckpointError, match="nowhere.pth.*MODEL.WEIGHTS"):
        local_file("nowhere.pth")


def test_no_path_loads_nothing():
    target = VISCheckpointer(model(), min_matched=1.0)
    assert target.load("") == {} and target.report is None


def test_read_entry(tmp_path):
    path = saved(tmp_path, {"model": {}, "facts": {"class_names": ["cat"]}})
    assert read_entry(path, "facts") == {"class_names": ["cat"]}
    assert read_entry(path, "nothing") is None
