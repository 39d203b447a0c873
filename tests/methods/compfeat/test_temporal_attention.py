"""Temporal attention against its formula, and what must not change it."""

import pytest
import torch
from torch.nn import functional as F

from tests.methods.compfeat.clips import wake
from vis_projects.layers import st_attention
from vis_projects.methods.compfeat.temporal_attention import TemporalAttention

C, H, W, T = 8, 3, 5, 2


def random(*shape, seed=0):
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def awake(**options):
    torch.manual_seed(3)
    attention = TemporalAttention(C, **options).double()
    with torch.no_grad():
        for parameter in attention.parameters():
            parameter.copy_(torch.randn(parameter.shape, dtype=torch.float64) * 0.4)
    return attention


def run(attention, x, supports):
    """f_TA of (B, C, H, W) for supports (B, T, C, H', W')."""
    keys, values = (y.unflatten(0, supports.shape[:2]) for y in attention.project(supports.flatten(0, 1)))
    return attention(x, keys, values)


def materialised(attention, x, supports):
    """Eq. 1 as written, one image: X = k^T q, softmax over all support positions, F(values)."""
    query = F.relu(attention.query_conv(x))[0].flatten(1)  # (d, HW)
    stacked = supports[0]
    keys = F.relu((attention.key_conv or attention.query_conv)(stacked)).transpose(0, 1).flatten(1)  # (d, THW)
    values = F.relu(attention.value_conv(stacked)).transpose(0, 1).flatten(1)
    table = keys.t() @ query  # (THW, HW)
    weights = table.softmax(0)
    return F.relu(attention.output_conv((values @ weights).view(1, -1, *x.shape[2:]))), table, weights


@pytest.fixture
def attention():
    return awake()


@pytest.fixture
def inputs():
    return random(1, C, H, W), random(1, T, C, H, W, seed=1)


def test_no_maps_give_no_maps(attention, inputs):
    out = run(attention, torch.zeros(0, C, H, W, dtype=torch.float64), inputs[1][:0])
    assert out.shape == (0, C, H, W)


@pytest.mark.parametrize("options", [{}, {"share_key": True}, {"kernel": 3}])
def test_it_is_equation_1(inputs, options):
    attention = awake(**options)
    expected, _, _ = materialised(attention, *inputs)
    torch.testing.assert_close(run(attention, *inputs), expected, rtol=1e-10, atol=1e-10)
    assert expected.abs().max() > 0.1


def test_weights_of_a_position_sum_to_one_over_all_support_positions(attention, inputs):
    # values that are one-hot in the support position give the weights themselves
    x, supports = inputs
    keys, _ = attention.project(supports[0])
    one_hot = torch.eye(T * H * W, dtype=torch.float64).view(-1, T, H, W).transpose(0, 1)[None]
    weights = st_attention(F.relu(attention.query_conv(x)), keys[None], one_hot)  # (1, THW, H, W)
    assert (weights >= 0).all()
    torch.testing.assert_close(weights.sum(1), torch.ones(1, H, W, dtype=torch.float64), rtol=0, atol=1e-12)
    torch.testing.assert_close(weights[0].flatten(1), materialised(attention, x, supports)[2], rtol=1e-10, atol=1e-12)


def test_the_order_of_supports_does_not_matter(attention, inputs):
    x, supports = inputs
    torch.testing.assert_close(run(attention, x, supports.flip(1)), run(attention, x, supports), rtol=1e-10, atol=1e-12)


def test_repeating_all_supports_changes_nothing_and_repeating_one_does(attention, inputs):
    x, supports = inputs
    expected = run(attention, x, supports)
    torch.testing.assert_close(run(attention, x, supports.repeat(1, 3, 1, 1, 1)), expected, rtol=1e-10, atol=1e-12)
    assert (run(attention, x, supports[:, [0, 0, 1]]) - expected).abs().max() > 1e-4


def test_positions_of_supports_do_not_matter_and_those_of_the_current_frame_move_along(attention, inputs):
    x, supports = inputs
    order = torch.randperm(H * W, generator=torch.Generator().manual_seed(5))

    def shuffled(maps):
        return maps.flatten(-2)[..., order].unflatten(-1, (H, W))

    expected = run(attention, x, supports)
    torch.testing.assert_close(run(attention, x, shuffled(supports)), expected, rtol=1e-10, atol=1e-12)
    torch.testing.assert_close(run(attention, shuffled(x), supports), shuffled(expected), rtol=1e-10, atol=1e-12)


def test_constant_supports_leave_nothing_to_choose(attention):
    supports = random(1, 1, C, 1, 1, seed=2).expand(1, T, C, H, W)
    out = run(attention, random(1, C, H, W), supports)
    torch.testing.assert_close(out, out[..., :1, :1].expand_as(out), rtol=1e-10, atol=1e-12)
    torch.testing.assert_close(run(attention, random(1, C, H, W, seed=9), supports), out, rtol=1e-10, atol=1e-12)


def test_one_support_equal_to_the_current_frame_gives_a_symmetric_table():
    attention, x = awake(share_key=True), random(1, C, H, W)
    _, table, weights = materialised(attention, x, x[None])
    torch.testing.assert_close(table, table.t())
    assert weights.shape == (H * W, H * W)


def test_with_keys_of_one_length_each_position_is_most_like_itself():
    attention = awake(share_key=True)
    angles = torch.linspace(0.05, 1.5, H * W, dtype=torch.float64)
    x = torch.zeros(1, C, H, W, dtype=torch.float64)
    x[0, 0], x[0, 1] = 9 * angles.cos().view(H, W), 9 * angles.sin().view(H, W)
    with torch.no_grad():
        attention.query_conv.weight.copy_(torch.eye(2, C)[:, :, None, None])
        attention.query_conv.bias.zero_()
    _, _, weights = materialised(attention, x, x[None])
    assert weights.argmax(0).tolist() == list(range(H * W))


def test_each_frame_of_a_batch_has_supports_of_its_own(attention):
    x, supports = random(2, C, H, W), random(2, T, C, H, W, seed=1)
    both = run(attention, x, supports)
    for b in range(2):
        torch.testing.assert_close(both[b : b + 1], run(attention, x[b : b + 1], supports[b : b + 1]))


def test_masked_positions_are_as_if_they_were_not_there(attention, inputs):
    x, supports = inputs
    valid = torch.zeros(T, 1, H, W, dtype=torch.bool)
    valid[..., :2, :4] = True
    masked = attention(x, *(y[None] for y in attention.project(supports[0], valid)))
    cropped = attention(x, *(y[None] for y in attention.project(supports[0, ..., :2, :4])))
    torch.testing.assert_close(masked, cropped, rtol=1e-10, atol=1e-12)


def test_scale_is_a_switch(inputs):
    plain, scaled = awake(), awake(scale="sqrt")
    with torch.no_grad():  # 1 / sqrt(d) with d = 2: queries that are sqrt(2) times as large undo it
        scaled.query_conv.weight.mul_(2**0.5)
        scaled.query_conv.bias.mul_(2**0.5)
    torch.testing.assert_close(run(scaled, *inputs), run(plain, *inputs), rtol=1e-9, atol=1e-12)


def test_activation_is_a_switch(inputs):
    assert (run(awake(act="relu"), *inputs) >= 0).all()
    assert (run(awake(act="leaky_relu"), *inputs) < 0).any()


def test_a_gate_starts_at_nothing_and_learns(inputs):
    attention = awake(gate=True)
    with torch.no_grad():
        attention.gate.zero_()
    out = run(attention, *inputs)
    assert out.abs().max() == 0
    out.sum().backward()
    assert attention.gate.grad.abs() > 0


def test_the_start_is_near_nothing_but_not_dead():
    torch.manual_seed(0)
    attention = TemporalAttention(64)
    x, supports = torch.randn(1, 64, H, W), torch.randn(1, T, 64, H, W)
    out = run(attention, x, supports)
    assert 0 < out.abs().max() < 0.01
    out.sum().backward()
    assert all(p.grad.abs().max() > 0 for p in (attention.output_conv.weight, attention.value_conv.weight))


def test_gradients():
    attention, x, supports = awake(), random(1, C, 2, 2), random(1, T, C, 2, 2, seed=1)
    inputs = [x.requires_grad_(), supports.requires_grad_()]
    assert torch.autograd.gradcheck(lambda a, b: run(attention, a, b), inputs, atol=1e-5)


def test_parameters_are_as_many_as_the_paper_shapes_ask_for():
    # C = 2048: three of 2048 x 512 + 512 and one of 512 x 2048 + 2048
    assert sum(p.numel() for p in TemporalAttention(2048).parameters()) == 3 * (2048 * 512 + 512) + 512 * 2048 + 2048


def test_half_precision_regions_keep_it_in_float32(inputs):
    attention = wake(TemporalAttention(C))
    x, supports = (y.float() for y in inputs)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        inside = run(attention, x, supports)
    assert inside.dtype == torch.float32 and torch.equal(inside, run(attention, x, supports))


@pytest.mark.parametrize("wrong, key", [({"kernel": 5}, "KERNEL"), ({"act": "gelu"}, "ACT"), ({"scale": "d"}, "SCALE")])
def test_unknown_options_name_their_key(wrong, key):
    with pytest.raises(ValueError, match=key):
        TemporalAttention(C, **wrong)


def test_too_few_channels():
    with pytest.raises(ValueError, match="quarter"):
        TemporalAttention(3)
