"""The defaults of MODEL.MASKTRACK are the published operating point."""

from detectron2.config import CfgNode

from vis_projects.methods.masktrack_rcnn import add_masktrack_config


def test_defaults():
    cfg = CfgNode({"MODEL": {}})
    add_masktrack_config(cfg)
    assert dict(cfg.MODEL.MASKTRACK) == {
        "NUM_FC": 2,
        "FC_DIM": 1024,
        "TRACK_FC_FINAL_RELU": False,
        "LOSS_WEIGHT": 1.0,
        "TRACK_POS_IOU": 0.5,
        "MATCH_COEFF": (1.0, 2.0, 10.0),
        "NEW_IOU": 0.0,
        "NEW_LABEL_DELTA": 1.0,
        "MEMORY_LABEL": "first",
        "RETAIN_FRAMES": 0,
        "INCLUSIVE_BOX_IOU": False,
    }
