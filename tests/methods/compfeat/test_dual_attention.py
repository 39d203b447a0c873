"""Spatial attention and the sum of both halves."""

import pytest
import torch

from tests.methods.compfeat.test_temporal_attention import H, W, C, T, random
from vis_projects.methods.compfeat.dual_attention import DualAttention
from vis_projects.methods.compfeat.global_context import GlobalContext


def awake(module):
    torch.manual_seed(4)
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.copy_(torch.randn(parameter.shape) * 0.4)
    return module.double()


def test_spatial_attention_starts_as_nothing():
    x = random(2, C, H, W)
    assert GlobalContext(C).double()(x).abs().max() == 0
    assert torch.equal(DualAttention(C, temporal=False).double()(x), x)


def test_context_forgets_positions_and_keeps_a_common_vector():
    spatial, x = awake(GlobalContext(C)), random(2, C, H, W)
    order = torch.randperm(H * W, generator=torch.Generator().manual_seed(5))
    shuffled = x.flatten(2)[..., order].unflatten(2, (H, W))
    torch.testing.assert_close(spatial.context(shuffled), spatial.context(x), rtol=1e-10, atol=1e-12)
    constant = random(2, C, 1, 1)
    torch.testing.assert_close(spatial.context(constant.expand(2, C, H, W)), constant, rtol=1e-10, atol=1e-12)


def test_context_leaves_masked_positions_out():
    spatial, x = awake(GlobalContext(C)), random(1, C, H, W)
    valid = torch.zeros(1, 1, H, W, dtype=torch.bool)
    valid[..., :2, 1:4] = True
    torch.testing.assert_close(spatial(x, valid), spatial(x[..., :2, 1:4]), rtol=1e-10, atol=1e-12)


def test_spatial_attention_adds_one_vector_per_map():
    dual, x = awake(DualAttention(C, temporal=False)), random(2, C, H, W)
    added = dual(x) - x
    assert added.abs().max() > 0.1
    torch.testing.assert_close(added, added[..., :1, :1].expand_as(added), rtol=1e-10, atol=1e-10)


def test_maps_do_not_see_each_other():
    spatial, x = awake(GlobalContext(C)), random(5, C, H, W)
    torch.testing.assert_close(spatial(x[[1, 3]]), spatial(x)[[1, 3]], rtol=1e-10, atol=1e-12)


def test_both_halves_look_at_the_same_features_and_add_up():
    dual, x, supports = awake(DualAttention(C)), random(1, C, H, W), random(T, C, H, W, seed=1)
    pair = tuple(y[None] for y in dual.temporal.project(supports))
    torch.testing.assert_close(dual(x, pair), x + dual.temporal(x, *pair) + dual.spatial(x))
    with torch.no_grad():
        dual.temporal.output_conv.weight.zero_(), dual.temporal.output_conv.bias.zero_()
    torch.testing.assert_close(dual(x, pair), x + dual.spatial(x))  # f + SA


def test_both_halves_off_is_the_identity():
    x = random(2, C, H, W).float()
    off = DualAttention(C, temporal=False, spatial=False)
    assert torch.equal(off(x), x) and not list(off.parameters())


def test_trained_with_two_supports_it_runs_with_any_number():
    dual, x = awake(DualAttention(C)), random(1, C, H, W)
    for count in (1, 2, 5):
        pair = tuple(y[None] for y in dual.temporal.project(random(count, C, H, W, seed=count)))
        assert dual(x, pair).shape == x.shape


def test_missing_supports_are_named():
    with pytest.raises(ValueError, match="NUM_SUPPORT_FRAMES"):
        DualAttention(C)(torch.zeros(1, C, H, W))


@pytest.mark.parametrize("ratio", [0, C + 1])
def test_a_ratio_that_leaves_no_channel(ratio):
    with pytest.raises(ValueError, match="SA_RATIO"):
        GlobalContext(C, ratio)
