"""Configs with mistakes end in one line that names the key, the file and close keys."""

import pytest

from vis_projects.engine import config_file
from vis_projects.engine.config_file import find_config_file, load_config
from vis_projects.engine.errors import ConfigError


def yaml_file(folder, text, name="x.yaml"):
    (folder / name).write_text(text)
    return str(folder / name)


def test_defaults_only():
    assert load_config().MODEL.VIS.NUM_CLASSES == 0


def test_file_then_overrides(tmp_path):
    path = yaml_file(tmp_path, "SOLVER:\n  BASE_LR: 0.5\n  MAX_ITER: 7\n")
    cfg = load_config(path, ["SOLVER.MAX_ITER", "9", "DATASETS.TRAIN", "('a',)"])
    assert (cfg.SOLVER.BASE_LR, cfg.SOLVER.MAX_ITER, cfg.DATASETS.TRAIN) == (0.5, 9, ("a",))
    assert not cfg.is_frozen()


def test_unknown_keys_of_a_file_are_all_named_with_close_ones(tmp_path):
    path = yaml_file(tmp_path, "SOLVER:\n  BASE_LRR: 0.5\nMODEL:\n  NUM_CLASSES: 3\n")
    with pytest.raises(ConfigError) as error:
        load_config(path)
    text = str(error.value)
    assert path in text and "SOLVER.BASE_LRR" in text and "SOLVER.BASE_LR" in text.replace("BASE_LRR", "")
    assert "MODEL.VIS.NUM_CLASSES" in text and "\n" not in text


def test_unknown_key_in_a_base_is_found(tmp_path):
    yaml_file(tmp_path, "INPUTT: {}\n", "base.yaml")
    with pytest.raises(ConfigError, match="unknown key INPUTT"):
        load_config(yaml_file(tmp_path, "_BASE_: base.yaml\n"))


@pytest.mark.parametrize("text", ["a: [1\n", "_BASE_: nowhere.yaml\n", "a: !!python/object/apply:os.getcwd []\n"])
def test_broken_yaml_missing_base_and_code_name_the_file(tmp_path, text):
    path = yaml_file(tmp_path, text)
    with pytest.raises(ConfigError, match="x.yaml"):
        load_config(path)


def test_wrong_type_in_a_file_names_file_and_key(tmp_path):
    path = yaml_file(tmp_path, "SOLVER:\n  MAX_ITER: many\n")
    with pytest.raises(ConfigError, match="x.yaml.*MAX_ITER"):
        load_config(path)


@pytest.mark.parametrize(
    ("opts", "message"),
    [
        (["SOLVER.BASE_LRR", "1"], "SOLVER.BASE_LRR; close ones: SOLVER.BASE_LR"),
        (["SOLVER.MAX_ITER"], "pairs KEY VALUE.*SOLVER.MAX_ITER"),
        (["SOLVER.MAX_ITER", "many"], "override SOLVER.MAX_ITER 'many'"),
        (["SOLVER.MAX_ITER.X", "1"], "unknown key SOLVER.MAX_ITER.X"),
        (["QQQQQQ", "1"], "no key is close"),
    ],
)
def test_broken_overrides(opts, message):
    with pytest.raises(ConfigError, match=message):
        load_config("", opts)


def test_missing_file_names_close_configs():
    with pytest.raises(ConfigError, match="masktrack_rcnn_R_50_FPN_1x_ytvis2019"):
        find_config_file("configs/masktrack_rcnn/masktrack_rcnn_R_50_FPN_1x_ytvis19.yaml")


def test_a_config_of_the_project_is_found_by_name():
    assert load_config("masktrack_rcnn/masktrack_rcnn_R_50_FPN_1x_ytvis2019.yaml").SOLVER.NUM_EPOCHS == 12


def test_configs_of_detectron2_are_found_by_name_where_it_has_them(monkeypatch):
    def get_config_file(name):
        if name != "COCO-InstanceSegmentation/some.yaml":
            raise RuntimeError(f"{name} not available in Model Zoo!")
        return f"/zoo/{name}"

    monkeypatch.setattr(config_file.detectron2_zoo, "get_config_file", get_config_file, raising=False)
    assert find_config_file("COCO-InstanceSegmentation/some.yaml") == "/zoo/COCO-InstanceSegmentation/some.yaml"
    with pytest.raises(ConfigError, match="no config 'COCO-InstanceSegmentation/other.yaml'"):
        find_config_file("COCO-InstanceSegmentation/other.yaml")
