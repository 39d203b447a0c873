"""Published settings, and every row of the README's tables that a key reaches."""

import re
from pathlib import Path

import pytest
from detectron2.modeling import build_model

from tests.methods.osmn.clips import small_config
from vis_projects import model_zoo

README = Path(__file__).resolve().parents[3] / "vis_projects/methods/osmn/README.md"
KEY = re.compile(r"`(?:MODEL\.OSMN\.)?([A-Z_]+)(?: (box|mean|False))?`")
# rows of the tables -> key overrides
ROWS = {
    "visual modulator alone": ["MODEL.OSMN.SPATIAL_MODULATOR", False],
    "spatial modulator alone": ["MODEL.OSMN.VISUAL_MODULATOR", False],
    "no random change": ["MODEL.OSMN.GUIDE_CROP", 0.0, "MODEL.OSMN.GUIDE_ROTATION_DEG", 0.0,
                         "MODEL.OSMN.GUIDE_FLIP", False, "MODEL.OSMN.CENTER_JITTER", 0.0, "MODEL.OSMN.STD_JITTER", 0.0],
    "boxes": ["MODEL.OSMN.OVERLAP", "box"],
    "mean": ["MODEL.OSMN.LOCATION", "mean"],
}


def test_published_network_and_guides():
    node = model_zoo.get_config("osmn/osmn_ytvis2019.yaml").MODEL.OSMN
    # VGG16; 3 x 256 + 6 x 512 = 3840 modulated channels
    assert (tuple(node.WIDTHS), tuple(node.CONVS)) == ((64, 128, 256, 512, 512), (2, 2, 3, 3, 3))
    assert (node.FC_DIM, node.DROPOUT, node.GUIDE_SIZE, node.SIDE_CHANNELS, node.NORM) == (4096, 0.5, 224, 16, "")
    assert (node.GUIDE_CROP, node.GUIDE_ROTATION_DEG, node.CENTER_JITTER, node.STD_JITTER) == (0.1, 10.0, 0.2, 0.4)


@pytest.mark.parametrize(
    "training, tracking",
    [("osmn/osmn_ytvis2019.yaml", "track_by_detection/osmn_mask_rcnn_R_50_FPN_1x_ytvis2019.yaml"),
     ("osmn/osmn_light_ytvis2019.yaml", "track_by_detection/osmn_light_mask_rcnn_R_50_FPN_1x_ytvis2019.yaml"),
     ("quick_schedules/osmn_narrow_synthvis_tiny.yaml",
      "quick_schedules/track_by_detection_R_50_FPN_narrow_synthvis_tiny.yaml")],
)
def test_the_tracker_has_the_network_that_was_trained(training, tracking):
    trained, tracked = (model_zoo.get_config(name) for name in (training, tracking))
    assert trained.MODEL.OSMN == tracked.MODEL.OSMN
    assert trained.INPUT.FORMAT == tracked.INPUT.FORMAT
    assert (trained.INPUT.MIN_SIZE_TEST, trained.INPUT.MAX_SIZE_TEST) == (
        tracked.INPUT.MIN_SIZE_TEST, tracked.INPUT.MAX_SIZE_TEST)


def test_whole_frames_as_published_unless_windows_are_asked_for():
    node = model_zoo.get_config("osmn/osmn_ytvis2019.yaml").MODEL.OSMN
    light = model_zoo.get_config("osmn/osmn_light_ytvis2019.yaml").MODEL.OSMN
    assert (node.WINDOW_SPREADS, light.WINDOW_SPREADS, light.WINDOW_SIZE) == (0.0, 4.0, 96)


def test_training_config_reads_bitmasks_of_videos():
    cfg = model_zoo.get_config("osmn/osmn_ytvis2019.yaml")
    assert (cfg.MODEL.META_ARCHITECTURE, cfg.MODEL.VIS.MAPPER) == ("OSMN", "OSMNMapper")
    assert (cfg.DATASETS.TRAIN, cfg.DATASETS.TEST, cfg.INPUT.MASK_FORMAT) == (("ytvis_2019_train",), (), "bitmask")
    assert (cfg.INPUT.MIN_SIZE_TRAIN, cfg.INPUT.MAX_SIZE_TRAIN) == ((360,), 640)


@pytest.mark.parametrize("row", ROWS)
def test_a_row_is_one_override_away(row):
    model = build_model(small_config(*ROWS[row]))
    assert (model.propagator.spatial is None) == (row == "visual modulator alone")
    assert (model.propagator.visual is None) == (row == "spatial modulator alone")


def test_every_key_that_the_readme_names_exists():
    node, text = small_config().MODEL.OSMN, README.read_text()
    named = {key for key, _ in KEY.findall(text)} - {"OSMN"}
    assert {"GUIDE_SIZE", "OVERLAP", "LOCATION", "CHUNK"} <= named
    assert [key for key in sorted(named) if key not in node] == []
    for key in ("OVERLAP", "LOCATION"):
        assert f"{key} {'box' if key == 'OVERLAP' else 'mean'}`" in text
