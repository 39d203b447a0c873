"""The clips that train an image detector are single frames."""

import numpy as np

from vis_projects.config import get_vis_cfg
from vis_projects.data.registry import VIS_MAPPER_REGISTRY
from vis_projects.methods.track_by_detection.mapper import key_frame_alone


def test_the_key_frame_alone():
    rng = np.random.default_rng(0)
    assert key_frame_alone(1, 0, rng) == {"key": [0]}
    assert key_frame_alone(9, 4, rng, valid=[1, 2]) == {"key": [4]}


def test_the_registered_mapper_uses_it():
    mapper = VIS_MAPPER_REGISTRY.get("SingleFrameMapper")(get_vis_cfg(), is_train=True)
    assert mapper.frame_sampler is key_frame_alone
