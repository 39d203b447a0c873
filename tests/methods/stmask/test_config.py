"""Defaults, published settings, and every row of the README's table of the paper's rows."""

import ast
import re
from pathlib import Path

import pytest
from detectron2.config import CfgNode
from detectron2.modeling import build_backbone

import vis_projects.methods.stmask as package
from tests.methods.masktrack_rcnn.pairs import CONFIGS
from vis_projects.config import get_vis_cfg
from vis_projects.methods.stmask import add_stmask_config
from vis_projects.methods.stmask.build import stmask_parts
from vis_projects.modeling.bilinear_fpn import BilinearFPN


def load(name, *opts):
    cfg = get_vis_cfg()
    cfg.merge_from_file(str(CONFIGS / "stmask" / name))
    cfg.merge_from_list(list(opts))
    return cfg


def readme_rows():
    text = (Path(package.__file__).parent / "README.md").read_text(encoding="utf-8")
    table = text.split("## From the paper to our keys")[1].split("\n## ")[0]
    lines = [line for line in table.splitlines() if line.startswith("|")]
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    for name, configs, keys in rows[2:]:
        opts = [part for pair in re.findall(r"`([^`]+)`", keys) for part in pair.split(" ", 1)]
        for config in re.findall(r"`([^`]+\.yaml)`", configs):
            yield pytest.param(config, opts, id=f"{name}-{config}")


def test_defaults_are_the_full_adaptive_model():
    cfg = CfgNode({"MODEL": {}})
    add_stmask_config(cfg)
    node = cfg.MODEL.STMASK
    assert node.FCA.KERNELS == ((3, 3), (3, 5), (5, 3)) and node.ANCHOR.MODE == "kernel"
    assert (node.FCB.TYPE, node.FCB.BRANCHES) == ("ada", ("class",))
    assert (node.TF.ENABLED, node.TF.LEVEL, node.TF.PATCH) == (True, "p4", 11)
    assert dict(node.LOSS) == {
        "CLS": 6.125, "BOX": 5.0, "MASK": 6.125, "CENTER": 20.0, "TRACK": 5.0, "BOX_SHIFT": 5.0, "MASK_SHIFT": 6.125,
        "BOX_TYPE": "diou", "MASK_CROP": "pred_x1.2", "DETACH_CENTER_TARGET": False, "OHEM_RATIO": 3,
        "OHEM_WEIGHT_ORDER": "official",
    }
    test = node.TEST
    assert (test.SCORE_THRESH, test.NMS, test.NMS_IOU, test.TOPK) == (0.05, "cross_class_fast", 0.5, 200)
    assert (test.MATCH_COEFF, test.SHIFT_DECAY, test.MAX_PROPAGATE) == ((0.0, 1.0, 2.0, 0.0), 0.95, 10)


@pytest.mark.parametrize(("depth", "interval"), [(50, 2), (101, 3)])
@pytest.mark.parametrize(
    ("data", "train", "classes"),
    [("ytvis2019", "ytvis_2019", 40), ("ytvis2021", "ytvis_2021", 40), ("ovis", "ovis", 25)],
)
def test_published_settings(depth, interval, data, train, classes):
    cfg = load(f"stmask_ada_R_{depth}_FPN_{data}.yaml")
    assert cfg.MODEL.RESNETS.DEPTH == depth and f"R-{depth}." in cfg.MODEL.WEIGHTS
    assert cfg.DATASETS.TRAIN == (f"{train}_train",) and cfg.DATASETS.TEST == (f"{train}_val",)
    assert (cfg.MODEL.STMASK.NUM_CLASSES, cfg.MODEL.STMASK.DCN_INTERVAL) == (classes, interval)
    assert (cfg.SOLVER.BASE_LR, cfg.SOLVER.IMS_PER_BATCH, cfg.SOLVER.WARMUP_ITERS) == (1e-4, 8, 0)
    assert cfg.SOLVER.NUM_EPOCHS == (20 if data == "ovis" else 0)
    if data != "ovis":
        assert (cfg.SOLVER.MAX_ITER, cfg.SOLVER.STEPS) == (125000, (75000, 100000))
    video = cfg.INPUT.VIDEO
    assert (cfg.INPUT.MIN_SIZE_TEST, cfg.INPUT.MAX_SIZE_TEST, video.KEEP_ASPECT_RATIO) == (360, 640, False)
    assert (video.REF_FRAME_RANGE, cfg.INPUT.FORMAT, cfg.MODEL.BACKBONE.FREEZE_AT) == (2, "RGB", 0)


@pytest.mark.parametrize(("config", "opts"), readme_rows())
def test_a_row_of_the_paper_is_a_config_and_keys(config, opts):
    cfg = load(config, *opts)
    for key, value in zip(opts[::2], opts[1::2]):
        node = cfg
        for part in key.split("."):
            node = node[part]
        expected = ast.literal_eval(value) if value[0] in "(0123456789" else value
        assert node == expected
    # a narrow body is enough to see that the parts fit
    cfg.merge_from_list(["MODEL.DEVICE", "cpu", "MODEL.FPN.OUT_CHANNELS", 8, "MODEL.RESNETS.WIDTH_PER_GROUP", 2,
                         "MODEL.RESNETS.RES2_OUT_CHANNELS", 8, "MODEL.RESNETS.STEM_OUT_CHANNELS", 4,
                         "MODEL.STMASK.TF.CONV_DIMS", (8, 8, 8), "MODEL.STMASK.PROTO.CHANNELS", 8])
    backbone = build_backbone(cfg)
    assert isinstance(backbone, BilinearFPN)
    parts = stmask_parts(cfg, backbone)
    assert len(parts["head"].kernels) == 3
    assert (parts["temporal_net"] is not None) == cfg.MODEL.STMASK.TF.ENABLED


def test_the_rows_of_table_4_differ_as_the_paper_says():
    names = ("baseline", "fca", "fca_ada", "fca_ali")
    rows = {name: load(f"ablation/table4_{name}.yaml").MODEL.STMASK for name in names}
    assert [row.TF.ENABLED for row in rows.values()] == [False] * 4
    assert [row.FCB.TYPE for row in rows.values()] == ["none", "none", "ada", "ali"]
    assert [row.FCB.BRANCHES for row in list(rows.values())[2:]] == [("class", "mask"), ("mask", "track")]
    assert [row.ANCHOR.MODE for row in rows.values()] == ["sqrt_ratio"] + ["kernel"] * 3
    assert [tuple(kernel) for kernel in rows["baseline"].FCA.KERNELS] == [(3, 3)] * 3
