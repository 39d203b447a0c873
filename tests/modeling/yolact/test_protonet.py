"""Prototypes: twice the size, never negative, published names and size."""

import torch

from vis_projects.modeling.yolact import ProtoNet


def test_prototypes_have_twice_the_size_and_are_not_negative():
    torch.manual_seed(0)
    out = ProtoNet(6, 5, channels=4)(torch.randn(2, 6, 3, 4))
    assert out.shape == (2, 6, 8, 5) and (out >= 0).all() and (out > 0).any()


def test_published_names_and_size():
    net = ProtoNet(256)
    assert {name.split(".")[0] for name in net.state_dict()} == {"0", "2", "4", "8", "10"}
    # 4 (256 * 256 * 9 + 256) + 256 * 32 + 32 = 2 360 320 + 8 224, 2.369 M
    assert sum(parameter.numel() for parameter in net.parameters()) == 2_368_544
    assert all((net.get_submodule(name).bias == 0).all() for name in ("0", "10"))
