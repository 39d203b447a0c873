"""CfgNode: files, bases, overrides, and the error that each mistake raises."""

import logging

import pytest
import yaml

from detectron2.config import CfgNode, get_cfg, global_cfg, set_global_cfg


@pytest.fixture
def write(tmp_path):
    def write(name, text):
        path = tmp_path / name
        path.write_text(text)
        return str(path)

    return write


def test_file_sets_values_and_keeps_the_others(write):
    cfg = get_cfg()
    cfg.merge_from_file(write("a.yaml", "VERSION: 2\nSEED: 3\nDATASETS:\n  TRAIN: ('a', 'b')\n"))
    assert (cfg.SEED, cfg.DATASETS.TRAIN, cfg.VIS_PERIOD) == (3, ("a", "b"), 0)


def test_base_is_relative_to_the_file_and_may_be_a_list(write):
    write("one.yaml", "VERSION: 2\nSEED: 7\nVIS_PERIOD: 1\n")
    write("two.yaml", "_BASE_: one.yaml\nVIS_PERIOD: 2\n")
    single, several = get_cfg(), get_cfg()
    single.merge_from_file(write("leaf.yaml", "_BASE_: two.yaml\nOUTPUT_DIR: x\n"))
    several.merge_from_file(write("many.yaml", "_BASE_: ['one.yaml', 'two.yaml']\nOUTPUT_DIR: y\n"))
    assert (single.SEED, single.VIS_PERIOD, single.OUTPUT_DIR) == (7, 2, "x")
    assert (several.SEED, several.VIS_PERIOD, several.OUTPUT_DIR) == (7, 2, "y")


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("VERSION: 2\nNO_SUCH_KEY: 4\n", KeyError),
        ("VERSION: 2\nINPUT:\n  NO_SUCH_KEY: 4\n", KeyError),
        ("VERSION: 2\nSEED: a\n", ValueError),
        ("VERSION: 2\nSEED: 1.0\n", ValueError),
        ("VERSION: 2\nSOLVER:\n  BASE_LR: 1\n", ValueError),
        ("VERSION: 3\nSEED: 1\n", AssertionError),
        ("VERSION: 2\nCOMPUTED_X: 1\n", KeyError),
    ],
)
def test_mistakes_in_a_file(write, text, error):
    with pytest.raises(error):
        get_cfg().merge_from_file(write("a.yaml", text))


def test_missing_file_and_foreign_versions(write, tmp_path):
    with pytest.raises(AssertionError):
        get_cfg().merge_from_file(str(tmp_path / "none.yaml"))
    with pytest.raises(AssertionError):
        CfgNode({"A": 1, "VERSION": 1}).merge_from_file(write("a.yaml", "A: 2\n"))
    with pytest.raises(AttributeError):
        CfgNode({"A": 1}).merge_from_file(write("a.yaml", "A: 2\n"))


def test_file_without_version_warns(write, caplog):
    cfg = get_cfg()
    with caplog.at_level(logging.WARNING, logger="detectron2"):
        logging.getLogger("detectron2").propagate = True
        cfg.merge_from_file(write("a.yaml", "SEED: 5\n"))
    assert cfg.SEED == 5
    assert any("VERSION" in record.message for record in caplog.records)


def test_python_tags_need_the_permission(write):
    path = write("a.yaml", "VERSION: 2\nDATASETS:\n  TRAIN: !!python/object/apply:builtins.tuple [['a']]\n")
    cfg = get_cfg()
    cfg.merge_from_file(path)
    assert cfg.DATASETS.TRAIN == ("a",)
    with pytest.raises(Exception, match="constructor"):
        get_cfg().merge_from_file(path, allow_unsafe=False)


@pytest.mark.parametrize(
    ("overrides", "error"),
    [
        (["NO_SUCH_KEY", 1], AssertionError),
        (["MODEL.NO_SUCH.KEY", 1], AssertionError),
        (["SEED"], AssertionError),
        (["SEED", "a"], ValueError),
        (["SEED", 1.5], ValueError),
        (["SOLVER.BASE_LR", 1], ValueError),
        (["MODEL.DEVICE", 3], ValueError),
    ],
)
def test_mistakes_in_a_list(overrides, error):
    with pytest.raises(error):
        get_cfg().merge_from_list(overrides)


def test_list_of_overrides():
    cfg = get_cfg()
    cfg.merge_from_list(["SEED", 4, "SOLVER.STEPS", [1, 2], "SOLVER.WEIGHT_DECAY_BIAS", 0.5])
    assert (cfg.SEED, cfg.SOLVER.STEPS, cfg.SOLVER.WEIGHT_DECAY_BIAS) == (4, (1, 2), 0.5)
    cfg.merge_from_list([])
    assert cfg.SEED == 4


def test_frozen_and_computed_keys():
    cfg = get_cfg()
    cfg.COMPUTED_X = 3
    cfg.COMPUTED_X = 3
    with pytest.raises(KeyError):
        cfg.COMPUTED_X = 4
    cfg.freeze()
    with pytest.raises(AttributeError):
        cfg.SEED = 1
    clone = cfg.clone()
    clone.defrost()
    clone.SEED = 1
    assert cfg.SEED == -1


def test_dump_can_be_read_again(write):
    cfg = get_cfg()
    cfg.SEED = 11
    other = get_cfg()
    other.merge_from_file(write("dump.yaml", cfg.dump()))
    assert other.SEED == 11 and yaml.safe_load(other.dump()) == yaml.safe_load(cfg.dump())


def test_global_cfg_is_replaced_in_place():
    set_global_cfg(CfgNode({"A": 1}))
    assert dict(global_cfg) == {"A": 1}
    set_global_cfg(CfgNode({"B": 2}))
    assert dict(global_cfg) == {"B": 2}
