"""`convert_weights` on broken input; whole checkpoints are in the tests of the methods that they belong to."""

import pytest
import torch

from vis_projects.cli.main import main
from vis_projects.engine import CheckpointError, ConfigError, convert_weights
from vis_projects.engine.convert_weights import read_weights, weight_format_names

CONFIG = "quick_schedules/condinst_vis_R_50_FPN_narrow_synthvis_tiny.yaml"


def test_an_unknown_format_lists_those_that_are_known(tmp_path):
    with pytest.raises(ConfigError, match="'caffe'.*adelaidet"):
        convert_weights("x.pth", str(tmp_path / "o.pth"), weight_format="caffe", config_file=CONFIG)
    assert "adelaidet" in weight_format_names()


@pytest.mark.parametrize("content", [{}, {"model": {}}, {"model": {"epoch": 3}}, torch.zeros(2)])
def test_a_file_without_named_tensors(tmp_path, content):
    torch.save(content, tmp_path / "w.pth")
    with pytest.raises(CheckpointError, match="no named tensors"):
        read_weights(str(tmp_path / "w.pth"))


@pytest.mark.parametrize("container", ["model", "state_dict", None])
def test_weights_are_found_at_the_top_or_in_a_container(tmp_path, container):
    weights = {"a": torch.arange(3.0)}
    torch.save({container: weights, "epoch": 3} if container else weights, tmp_path / "w.pth")
    assert read_weights(str(tmp_path / "w.pth"))["a"].tolist() == [0, 1, 2]


def test_nothing_that_fits_writes_nothing_even_in_part(tmp_path):
    torch.save({"strange": torch.zeros(2)}, tmp_path / "w.pth")
    with pytest.raises(CheckpointError, match="filled 0 of (?s:.)*strange"):
        convert_weights(str(tmp_path / "w.pth"), str(tmp_path / "o.pth"), weight_format="adelaidet", config_file=CONFIG,
                        partial=True)
    assert not (tmp_path / "o.pth").exists()


def test_the_verb_says_it_in_one_line(tmp_path, capsys):
    argv = ["convert-weights", "nope.pth", str(tmp_path / "o.pth"), "--format", "adelaidet", "--config-file", CONFIG]
    assert main(argv) == 2
    assert "nope.pth: no such file" in capsys.readouterr().err
