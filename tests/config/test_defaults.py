"""The shared keys: their values, their comments, and that Detectron2's own config stays as it was."""

import ast
import inspect

import pytest
from detectron2.config import get_cfg

import vis_projects.methods
from vis_projects.config import add_vis_config, defaults, get_vis_cfg
from vis_projects.methods.masktrack_rcnn import config as masktrack_config


def test_default_values():
    cfg = get_vis_cfg()
    assert cfg.MODEL.VIS.MAPPER == "" and cfg.MODEL.VIS.TRACKER.NAME == ""
    assert cfg.MODEL.VIS.NUM_CLASSES == 0 and cfg.MODEL.VIS.NUM_IDENTITIES == 0
    assert cfg.MODEL.VIS.LOAD_MIN_MATCHED == 0.5
    assert dict(cfg.INPUT.VIDEO.PSEUDO) == {
        "ROTATION_DEG": 10.0,
        "TRANSLATE_FRACTION": 0.1,
        "SHEAR_DEG": 5.0,
        "SCALE_RANGE": (0.9, 1.1),
    }
    assert cfg.INPUT.VIDEO.REF_FRAME_RANGE == 0 and cfg.INPUT.VIDEO.NUM_SUPPORT_FRAMES == 0
    assert cfg.INPUT.VIDEO.SUPPORT_SAMPLING == "uniform" and cfg.INPUT.VIDEO.EPOCH_UNIT == "frame"
    assert not cfg.INPUT.VIDEO.COLOR_JITTER and not cfg.INPUT.VIDEO.PER_FRAME_JITTER
    assert cfg.DATASETS.CLASS_SUBSET == () and cfg.DATASETS.TRAIN_WEIGHTS == ()
    assert dict(cfg.TEST.VIDEO) == {"MIN_TRACK_LEN_FRAMES": 0, "SCORE_FLOOR": 0.0, "AMP": False, "ORACLE": ""}
    assert cfg.SOLVER.NUM_EPOCHS == 0 and cfg.SOLVER.STEP_EPOCHS == ()
    assert cfg.SOLVER.CLIP_TOTAL_NORM == 0.0 and cfg.SOLVER.ACCUM_ITERS == 1


def test_detectron2_defaults_are_not_touched():
    before = get_cfg().dump()
    get_vis_cfg()
    assert get_cfg().dump() == before
    assert "VIS" not in get_cfg().MODEL


def test_keys_of_detectron2_keep_their_defaults():
    cfg, plain = get_vis_cfg(), get_cfg()
    assert cfg.MODEL.ROI_HEADS.dump() == plain.MODEL.ROI_HEADS.dump()
    assert cfg.SOLVER.MAX_ITER == plain.SOLVER.MAX_ITER


def test_adding_to_a_foreign_config_brings_the_methods_keys_and_a_second_call_changes_nothing():
    assert vis_projects.methods.masktrack_rcnn is not None
    cfg = get_cfg()
    add_vis_config(cfg)
    assert cfg.MODEL.MASKTRACK.MATCH_COEFF == (1.0, 2.0, 10.0)
    cfg.MODEL.VIS.TRACKER.NAME = "Mine"
    add_vis_config(cfg)
    assert cfg.MODEL.VIS.TRACKER.NAME == "Mine"


def test_two_configs_share_nothing():
    one, other = get_vis_cfg(), get_vis_cfg()
    one.MODEL.VIS.NUM_CLASSES = 9
    assert other.MODEL.VIS.NUM_CLASSES == 0


@pytest.mark.parametrize("module", [defaults, masktrack_config], ids=lambda m: m.__name__)
def test_every_key_has_a_comment_line(module):
    source = inspect.getsource(module)
    lines = source.splitlines()
    keys = [
        node
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Assign)
        and isinstance(node.targets[0], ast.Attribute)
        and not (isinstance(node.value, ast.Call) and getattr(node.value.func, "id", "") == "CfgNode")
    ]
    assert keys
    bare = [lines[k.lineno - 1] for k in keys if not lines[k.lineno - 2].strip().startswith("#")]
    assert bare == []
