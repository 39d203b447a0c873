"""Defaults of MODEL.COMPFEAT, the published settings, and the rows of the paper's tables as overrides."""

import re
from pathlib import Path

import pytest
from detectron2.config import CfgNode

import vis_projects.methods.compfeat as package
from tests.methods.masktrack_rcnn.pairs import CONFIGS
from vis_projects.config import get_vis_cfg
from vis_projects.methods.compfeat import add_compfeat_config

README = Path(package.__file__).with_name("README.md").read_text(encoding="utf-8")
ROWS = re.findall(r"^\|(.+?)\| `(compfeat/[\w./]+)` \|(.*)\|$", README, re.MULTILINE)


def load(name, *overrides):
    cfg = get_vis_cfg()
    cfg.merge_from_file(str(CONFIGS / name))
    cfg.merge_from_list(list(overrides))
    return cfg


def overrides_of(cell):
    """KEY value pairs of a table cell: `KEY value`, `KEY value`."""
    return [word for pair in re.findall(r"`([A-Z_.]+ [^`]+)`", cell) for word in pair.split(" ", 1)]


def switches(cfg):
    """Which parts a config has: (FDA, BDA, track head)."""
    node = cfg.MODEL.COMPFEAT
    halves = [tuple(part.ENABLED and half for half in (part.TEMPORAL, part.SPATIAL)) for part in (node.FDA, node.BDA)]
    return (*halves, node.TRACK.HEAD)


def test_defaults():
    cfg = CfgNode({"MODEL": {}})
    add_compfeat_config(cfg)
    attention = {"ENABLED": True, "TEMPORAL": True, "SPATIAL": True, "KERNEL": 1, "SHARE_KEY": False, "ACT": "relu",
                 "SCALE": "none", "GATE": False, "SA_RATIO": 4}
    node = cfg.MODEL.COMPFEAT
    assert dict(node.FDA) == {**attention, "PLACEMENT": "backbone", "STAGES": ("res4", "res5")}
    assert dict(node.BDA) == {**attention, "APPLY_TO": ("box", "track"), "KEY_LEVEL": "p4"}
    assert dict(node.TEST) == {"NUM_SUPPORT": 4, "SUPPORT": "uniform_video", "CACHE_FRAMES": 36}
    assert dict(node.TRACK) == {
        "HEAD": "corr", "NUM_FC": 2, "FC_DIM": 1024, "FC_FINAL_RELU": False, "ADJUST": "siamrpn", "CORR_NORM": "mean",
        "USE_MAP": True, "SEARCH_LEVEL": "p4", "REFINE_KERNEL": 1, "ROI_FROM": "refined", "TEST_USE_MAP_VECTOR": True,
        "SIGMA": 0.25, "MAP_LOSS": "bce", "MAP_WEIGHT": 1.0, "LOSS_WEIGHT": 1.0, "ABSENT_MAP": True, "POS_IOU": 0.5,
        "MEMORY_FEATS": "raw", "MATCH_COEFF": (1.0, 2.0, 10.0), "NEW_IOU": 0.0, "NEW_LABEL_DELTA": 1.0,
        "MEMORY_LABEL": "first", "RETAIN_FRAMES": 0, "INCLUSIVE_BOX_IOU": False,
    }
    assert (node.SUPPORT_GRAD, node.MASK_PADDING) == (True, False)


@pytest.mark.parametrize(
    "name, train, classes",
    [
        ("ytvis2019", ("ytvis_2019_train",), 40),
        ("ytvis2019_coco", ("ytvis_2019_train", "coco_2017_train"), 40),
        ("ytvis2021", ("ytvis_2021_train",), 40),
        ("ovis", ("ovis_train",), 25),
    ],
)
def test_published_settings(name, train, classes):
    cfg = load(f"compfeat/compfeat_R_50_FPN_1x_{name}.yaml")
    assert cfg.DATASETS.TRAIN == train and cfg.MODEL.ROI_HEADS.NUM_CLASSES == classes
    assert (cfg.SOLVER.BASE_LR, cfg.SOLVER.IMS_PER_BATCH, cfg.SOLVER.CLIP_TOTAL_NORM) == (0.0125, 10, 35.0)
    assert (cfg.SOLVER.NUM_EPOCHS, tuple(cfg.SOLVER.STEP_EPOCHS)) == (12, (8, 11))
    assert (cfg.INPUT.VIDEO.NUM_SUPPORT_FRAMES, cfg.INPUT.VIDEO.SUPPORT_SAMPLING) == (2, "random")
    pseudo = cfg.INPUT.VIDEO.PSEUDO
    assert (pseudo.ROTATION_DEG, pseudo.TRANSLATE_FRACTION, pseudo.SHEAR_DEG) == (15, 0.1, 10)
    assert pseudo.SCALE_RANGE == (1, 1)
    assert (cfg.INPUT.MIN_SIZE_TEST, cfg.INPUT.MAX_SIZE_TEST) == (360, 640)
    assert switches(cfg) == ((True, True), (True, True), "corr")


@pytest.mark.parametrize("title, name, cell", ROWS, ids=[row[0].strip() for row in ROWS])
def test_rows_of_the_tables_are_what_their_title_says(title, name, cell):
    cfg = load(name, *overrides_of(cell))
    both, temporal, spatial, off = (True, True), (True, False), (False, True), (False, False)
    fda, bda = off, off
    if "FDA" in title:
        fda = temporal if "FDA temporal" in title else spatial if "FDA spatial" in title else both
    if "BDA" in title:
        bda = temporal if "BDA temporal" in title else spatial if "BDA spatial" in title else both
    assert switches(cfg) == (fda, bda, "corr" if "CM" in title else "dot_fc")
    assert any(cfg.MODEL.COMPFEAT.TRACK.MATCH_COEFF) == ("with cues" in title)
    assert ("coco_2017_train" in cfg.DATASETS.TRAIN) == ("without COCO" not in title)
    drawn = re.search(r"train (uniform|random)-(\d)", title)
    if drawn:
        assert (cfg.INPUT.VIDEO.SUPPORT_SAMPLING, cfg.INPUT.VIDEO.NUM_SUPPORT_FRAMES) == (drawn[1], int(drawn[2]))


def test_the_tables_are_complete():
    titles = [title.strip() for title, _, _ in ROWS]
    # Table 1: 2 of ours, Table 2: 7, Table 3: 4, Table 4: 4 ways to train, Table 5: 2 of ours
    assert [sum(title.startswith(f"T{k}") for title in titles) for k in range(1, 6)] == [2, 7, 4, 4, 2]


def test_every_key_is_in_the_readme():
    cfg = CfgNode({"MODEL": {}})
    add_compfeat_config(cfg)
    parts = cfg.MODEL.COMPFEAT.items()
    names = [key for name, part in parts for key in (part if isinstance(part, CfgNode) else [name])]
    assert [name for name in names if not re.search(rf"\b{name}[`, ]", README)] == []
