"""Every yaml merges into the config, leaves are short, and the values are those of the paper."""

from pathlib import Path

import pytest

import vis_projects.methods  # noqa: F401
from vis_projects.config import get_vis_cfg
from vis_projects.tracking import build_tracker, build_tracker_network

CONFIGS = Path(__file__).resolve().parents[2] / "configs"
YAMLS = sorted(str(path.relative_to(CONFIGS)) for path in CONFIGS.rglob("*.yaml"))
LEAVES = [name for name in YAMLS if not Path(name).name.startswith("Base-")]
R50 = "masktrack_rcnn/masktrack_rcnn_R_50_FPN_1x_ytvis2019.yaml"
# Rows of Table 2: name, (detection score, IoU, class).
TABLE_2 = {
    "none": (0.0, 0.0, 0.0),
    "det": (1.0, 0.0, 0.0),
    "iou": (0.0, 2.0, 0.0),
    "det_iou": (1.0, 2.0, 0.0),
    "cat": (0.0, 0.0, 10.0),
    "det_cat": (1.0, 0.0, 10.0),
    "iou_cat": (0.0, 2.0, 10.0),
    "det_iou_cat": (1.0, 2.0, 10.0),
}


def load(name):
    cfg = get_vis_cfg()
    cfg.merge_from_file(str(CONFIGS / name))
    return cfg


def letters(text):
    return "".join(character for character in text.lower() if character.isalnum())


@pytest.mark.parametrize("name", YAMLS)
def test_yaml_merges_and_its_tracker_builds(name):
    cfg = load(name)
    # the path says which architecture it is of: crossvis/..., quick_schedules/condinst_vis_...
    assert letters(cfg.MODEL.META_ARCHITECTURE) in letters(name)
    if cfg.MODEL.VIS.TRACKER.NAME:
        cfg.MODEL.DEVICE = "cpu"
        assert type(build_tracker(cfg, build_tracker_network(cfg))).__name__ == cfg.MODEL.VIS.TRACKER.NAME


@pytest.mark.parametrize("name", LEAVES)
def test_leaf_is_short(name):
    assert len((CONFIGS / name).read_text().splitlines()) <= 15


@pytest.mark.parametrize("depth", [50, 101])
@pytest.mark.parametrize(
    "data, train, classes", [("ytvis2019", "ytvis_2019", 40), ("ytvis2021", "ytvis_2021", 40), ("ovis", "ovis", 25)]
)
def test_published_settings(depth, data, train, classes):
    cfg = load(f"masktrack_rcnn/masktrack_rcnn_R_{depth}_FPN_1x_{data}.yaml")
    assert cfg.MODEL.RESNETS.DEPTH == depth and f"R_{depth}_FPN" in cfg.MODEL.WEIGHTS
    assert cfg.DATASETS.TRAIN == (f"{train}_train",) and cfg.DATASETS.TEST == (f"{train}_val",)
    assert cfg.MODEL.ROI_HEADS.NUM_CLASSES == classes
    assert (cfg.SOLVER.BASE_LR, cfg.SOLVER.IMS_PER_BATCH, cfg.SOLVER.CLIP_TOTAL_NORM) == (0.005, 32, 35.0)
    assert (cfg.SOLVER.NUM_EPOCHS, tuple(cfg.SOLVER.STEP_EPOCHS)) == (12, (8, 11))
    assert (cfg.INPUT.MIN_SIZE_TEST, cfg.INPUT.MAX_SIZE_TEST) == (360, 640)


@pytest.mark.parametrize("row", TABLE_2)
def test_table_2_row_differs_from_the_full_method_in_one_key(row):
    cfg, full = load(f"masktrack_rcnn/ablation/table2_{row}.yaml"), load(R50)
    assert tuple(cfg.MODEL.MASKTRACK.MATCH_COEFF) == TABLE_2[row]
    full.MODEL.MASKTRACK.MATCH_COEFF = TABLE_2[row]
    assert cfg.dump() == full.dump()


@pytest.mark.parametrize("depth", [50, 101])
@pytest.mark.parametrize(
    "data, train, classes", [("ytvis2019", "ytvis_2019", 40), ("ytvis2021", "ytvis_2021", 40), ("ovis", "ovis", 25)]
)
def test_published_settings_of_crossvis(depth, data, train, classes):
    cfg = load(f"crossvis/crossvis_R_{depth}_FPN_1x_{data}.yaml")
    assert cfg.MODEL.RESNETS.DEPTH == depth and f"R-{depth}." in cfg.MODEL.WEIGHTS
    assert cfg.DATASETS.TRAIN == (f"{train}_train",) and cfg.DATASETS.TEST == (f"{train}_val",)
    assert (cfg.MODEL.FCOS.NUM_CLASSES, cfg.INPUT.VIDEO.REF_FRAME_RANGE) == (classes, 20)
    assert (cfg.SOLVER.BASE_LR, cfg.SOLVER.IMS_PER_BATCH, cfg.SOLVER.NUM_EPOCHS) == (0.005, 16, 12)
    assert (cfg.MODEL.CROSSVIS.EMBEDDING, cfg.MODEL.CROSSVIS.EMBEDDING_LOSS) == ("global", "focal")


@pytest.mark.parametrize("embedding", ["pairwise", "global"])
@pytest.mark.parametrize("loss", ["ce", "focal"])
def test_table_7_of_crossvis_has_a_file_for_each_row(embedding, loss):
    node = load(f"crossvis/ablation/table7_{embedding}_{loss}.yaml").MODEL.CROSSVIS
    assert (node.EMBEDDING, node.EMBEDDING_LOSS, node.CROSS_WEIGHT) == (embedding, loss, 0.0)


@pytest.mark.parametrize("data", ["2019", "2021"])
def test_published_settings_of_hitf(data):
    cfg, first = (load(f"hitf/hitf_R_50_{stage}ytvis{data}.yaml") for stage in ("", "coco_pretrain_"))
    node = cfg.MODEL.HITF
    assert (node.NUM_SLOTS, node.N_REF, node.NUM_ALT, node.PM, node.NUM_CLASSES) == (10, 3, 2, True, 40)
    solver = cfg.SOLVER
    assert (solver.OPTIMIZER, solver.BASE_LR, solver.IMS_PER_BATCH, solver.MAX_ITER) == ("ADAM", 0.001, 32, 35000)
    assert (solver.WEIGHT_DECAY, solver.LR_SCHEDULER_NAME, solver.POLY_LR_POWER) == (0.0, "WarmupPolyLR", 0.9)
    assert (cfg.INPUT.MAX_SIZE_TRAIN, cfg.INPUT.MAX_SIZE_TEST, node.SQUARE_CANVAS) == (641, 641, True)
    assert cfg.DATASETS.TRAIN == (f"ytvis_{data}_train",) and cfg.DATASETS.TEST == (f"ytvis_{data}_val",)
    assert first.DATASETS.TRAIN == (f"ytvis_{data}_train", "coco_2017_train")


def test_table_2_is_complete():
    found = {path.stem.removeprefix("table2_") for path in (CONFIGS / "masktrack_rcnn/ablation").glob("*.yaml")}
    assert found == set(TABLE_2)


def test_the_small_networks_of_trackers_are_those_that_the_quick_schedules_train():
    detector = load("quick_schedules/Base-TrackByDetection-narrow.yaml").MODEL
    assert detector.REID == load("quick_schedules/Base-ReIDNetwork-narrow.yaml").MODEL.REID
    assert detector.OSMN == load("quick_schedules/Base-OSMN-narrow.yaml").MODEL.OSMN
