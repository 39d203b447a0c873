"""Configs are found by name, and a wrong name is answered with close ones."""

import pytest

from vis_projects import model_zoo

R50 = "masktrack_rcnn/masktrack_rcnn_R_50_FPN_1x_ytvis2019.yaml"


def test_listed_config_is_read():
    assert R50 in model_zoo.list_configs()
    assert model_zoo.get_config(R50).MODEL.META_ARCHITECTURE == "MaskTrackRCNN"


def test_unknown_name_is_answered_with_close_ones():
    with pytest.raises(FileNotFoundError, match="R_50_FPN_1x_ytvis2019"):
        model_zoo.get_config_file("masktrack_rcnn/masktrack_rcnn_R50_FPN_1x_ytvis2019.yaml")
