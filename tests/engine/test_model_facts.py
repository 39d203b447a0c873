"""Class names that travel with a checkpoint."""

import pytest
import torch

from tests.engine.toy_model import toy_cfg
from vis_projects.engine.errors import ConfigError
from vis_projects.engine.model_facts import ModelFacts


def test_nothing_known(tmp_path):
    assert ModelFacts.from_checkpoint("").class_names == ()
    torch.save({"model": {}}, tmp_path / "w.pth")
    assert ModelFacts.from_checkpoint(str(tmp_path / "w.pth")).class_names == ()
    assert ModelFacts.from_cfg(toy_cfg("never_loaded", tmp_path)).class_names == ()


def test_state_goes_through_a_checkpoint(tmp_path):
    torch.save({"model": {}, "facts": ModelFacts(("a", "b")).state_dict()}, tmp_path / "w.pth")
    facts = ModelFacts.from_checkpoint(str(tmp_path / "w.pth"))
    assert facts.class_names == ("a", "b")
    other = ModelFacts()
    other.load_state_dict(facts.state_dict())
    assert other.class_names == ("a", "b")


def test_the_subset_of_a_config_are_its_classes(tmp_path):
    cfg = toy_cfg("never_loaded", tmp_path, opts=["DATASETS.CLASS_SUBSET", ("b", "a")])
    assert ModelFacts.from_cfg(cfg).class_names == ("b", "a")


def test_names_and_numbers_of_classes():
    facts = ModelFacts(("a", "b"))
    assert facts.indices_of(("b", "0")) == [1, 0] and facts.indices_of(()) == []
    with pytest.raises(ConfigError, match="no class c, d; it has a, b"):
        facts.indices_of(("c", "a", "d"))
    with pytest.raises(ConfigError, match="give class numbers"):
        ModelFacts().indices_of(("cat",))
    with pytest.raises(ConfigError, match="no class 2"):
        facts.indices_of(("2",))
