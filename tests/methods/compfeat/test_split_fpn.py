"""The FPN in two halves is Detectron2's FPN."""

import pytest
import torch
from detectron2.modeling import build_backbone

from tests.methods.compfeat.clips import small_config


@pytest.mark.parametrize("fuse_type", ["sum", "avg"])
def test_it_equals_the_fpn(fuse_type):
    options = ("MODEL.FPN.FUSE_TYPE", fuse_type, "MODEL.FPN.NORM", "GN")
    split = build_backbone(small_config(*options)).eval()
    plain = build_backbone(small_config(*options, "MODEL.BACKBONE.NAME", "build_resnet_fpn_backbone")).eval()
    plain.load_state_dict(split.state_dict())
    x = torch.randn(2, 3, 64, 96, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        expected, whole, halves = plain(x), split(x), split.forward_features(split.bottom_up(x))
    assert list(halves) == list(expected) == ["p2", "p3", "p4", "p5", "p6"]
    for name in expected:
        assert torch.equal(halves[name], expected[name]) and torch.equal(whole[name], expected[name])
    assert split.output_shape() == plain.output_shape() and split.size_divisibility == plain.size_divisibility
