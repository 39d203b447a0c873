"""build_vis_mapper picks by MODEL.VIS.MAPPER and names what is registered."""

import pytest

from tests.data.toy_cfg import toy_cfg
from vis_projects.data import VIS_MAPPER_REGISTRY, VideoDatasetMapper, build_vis_mapper


def test_no_name_is_the_base_mapper():
    mapper = build_vis_mapper(toy_cfg(), is_train=True)
    assert type(mapper) is VideoDatasetMapper and mapper.is_train


def test_a_registered_name_is_built_from_the_cfg():
    cfg = toy_cfg()
    cfg.MODEL.VIS.MAPPER = "VideoDatasetMapper"
    cfg.INPUT.FORMAT = "RGB"
    mapper = build_vis_mapper(cfg, is_train=False)
    assert not mapper.is_train and mapper.image_format == "RGB" and mapper.frame_transform.image_format == "RGB"
    assert "VideoDatasetMapper" in VIS_MAPPER_REGISTRY


def test_an_unknown_name_lists_the_known_ones():
    cfg = toy_cfg()
    cfg.MODEL.VIS.MAPPER = "NoSuchMapper"
    with pytest.raises(KeyError, match="MODEL.VIS.MAPPER is 'NoSuchMapper'.*VideoDatasetMapper"):
        build_vis_mapper(cfg, is_train=True)
