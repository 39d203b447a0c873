"""Local correlation: the checks of fused ops, hand-worked numbers, simpler ops that it degenerates to."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn import functional as F

from tests.layers.op_tester import OpCase, OpTester, assert_close
from vis_projects.layers import has_native, local_correlation
from vis_projects.layers.local_correlation import local_correlation_reference


def _case(name, shape, patch_size, *settings, scale=1.0):
    def make(generator):
        a, b = (scale * torch.randn(shape, generator=generator, dtype=torch.float64) for _ in range(2))
        return a, b, patch_size, *settings

    return OpCase(name, make)


class TestLocalCorrelation(OpTester):
    op = "local_correlation"
    face = staticmethod(local_correlation)
    reference = staticmethod(local_correlation_reference)
    cases = [
        _case("no pair", (0, 3, 6, 7), 3),
        _case("no column", (2, 3, 4, 0), 3),
        _case("one pixel", (1, 1, 1, 1), 1),
        _case("one pixel under a patch", (2, 3, 1, 1), 5, 2),
        _case("one channel, rows of whole vectors", (2, 1, 5, 32), 7),
        _case("one row", (1, 2, 1, 19), 3),
        _case("patch larger than the map", (2, 2, 4, 3), 11, 1, True),
        _case("odd sizes, dilated", (2, 5, 9, 21), 5, 3),
        _case("dilation that leaves the middle shift alone", (1, 2, 3, 5), 3, 1000),
        _case("large values", (1, 2, 6, 17), 3, 1, False, 0.25, scale=30.0),
        _case("channels of two chunks", (1, 67, 7, 18), 3, 2),
        _case("as in STMask", (2, 14, 10, 23), 11, 1, True, 0.1),
    ]
    grad_cases = [
        _case("no pair", (0, 2, 3, 4), 3),
        _case("patch larger than the map", (1, 2, 2, 3), 7),
        _case("dilated", (2, 1, 3, 4), 3, 2, True),
        _case("slope", (1, 2, 3, 3), 3, 1, False, 0.1),
    ]


def test_shifts_count_row_by_row_and_move_b():
    a, b = torch.zeros(1, 1, 3, 4), torch.zeros(1, 1, 3, 4)
    a[0, 0, 1, 1], b[0, 0, 2, 0] = 2, 5
    out = local_correlation(a, b, 3)
    # from (1, 1) the place (2, 0) of b lies one row down, one column left: shift i = 2, j = 0, channel 2 * 3 + 0 = 6
    assert out.nonzero().tolist() == [[0, 6, 1, 1]] and out[0, 6, 1, 1] == 10
    # one row down is half a step at dilation 2, so nothing is found
    assert local_correlation(a, b, 3, 2).count_nonzero() == 0


def test_hand_worked_row():
    a = torch.tensor([[1.0, 2, 3], [1, 0, -1]]).reshape(1, 2, 1, 3)
    b = torch.tensor([[4.0, 5, 6], [7, 8, 9]]).reshape(1, 2, 1, 3)
    out = local_correlation(a, b, 3)[0, :, 0]
    zeros = [0, 0, 0]
    # left:   0, 2 * 4 + 0 * 7, 3 * 5 - 8;  middle: 4 + 7, 2 * 5 + 0, 3 * 6 - 9;  right: 5 + 8, 2 * 6 + 0, 0
    assert out.tolist() == [zeros, zeros, zeros, [0, 8, 7], [11, 10, 9], [13, 12, 0], zeros, zeros, zeros]


def test_sums_are_divided_by_the_channels_before_the_slope():
    a, b = torch.tensor([[3.0], [-5]]).reshape(1, 2, 1, 1), torch.tensor([[2.0], [4]]).reshape(1, 2, 1, 1)
    # 3 * 2 - 5 * 4 = -14; / 2 channels = -7; * 1/4 = -7/4
    for settings_, expected in (((), -14), ((True,), -7), ((True, 0.25), -7 / 4), ((False, 0.0), 0)):
        assert local_correlation(a, b, 1, 1, *settings_).item() == expected


def test_hand_worked_gradients():
    a = torch.tensor([1.0, 2, 3]).reshape(1, 1, 1, 3).requires_grad_()
    b = torch.tensor([4.0, -5, 6]).reshape(1, 1, 1, 3).requires_grad_()
    out = local_correlation(a, b, 3, negative_slope=0.5)
    grad = torch.zeros_like(out)
    grad[0, 3, 0], grad[0, 5, 0] = torch.tensor([1.0, 10, 100]), torch.tensor([1000.0, 1e4, 1e5])
    out.backward(grad)
    # left (channel 3):  a1 b0 = 8 > 0 takes 10, a2 b1 = -15 < 0 takes 100 / 2
    # right (channel 5): a0 b1 = -5 < 0 takes 1000 / 2, a1 b2 = 12 > 0 takes 1e4
    # a0: 500 b1; a1: 10 b0 + 1e4 b2; a2: 50 b1
    assert a.grad.flatten().tolist() == [-2500, 40 + 60000, -250]
    # b0: 10 a1; b1: 50 a2 + 500 a0; b2: 1e4 a1
    assert b.grad.flatten().tolist() == [20, 150 + 500, 20000]


def test_a_patch_of_one_is_the_product_of_the_maps(op_device):
    a, b = torch.randn(2, 2, 5, 6, 9, device=op_device)
    assert_close(local_correlation(a, b, 1), (a * b).sum(1, keepdim=True), 1e-6, "1x1")


def test_it_equals_a_product_with_the_unfolded_map(op_device):
    a, b = torch.randn(2, 2, 5, 8, 9, device=op_device)
    around = F.unfold(b, 5, dilation=2, padding=4).reshape(2, 5, 25, 8, 9)
    assert_close(local_correlation(a, b, 5, 2), torch.einsum("ncyx,ncpyx->npyx", a, around), 1e-6, "unfold")


@pytest.mark.parametrize("channels", [33, 70])
def test_a_pair_of_a_batch_equals_the_pair_alone(op_device, channels):
    a, b = torch.randn(2, 3, channels, 7, 12, device=op_device)
    together = local_correlation(a, b, 7)
    for n in range(3):
        assert torch.equal(together[n : n + 1], local_correlation(a[n : n + 1], b[n : n + 1], 7))


def test_only_the_wanted_gradient_is_computed(op_device):
    for wanted in ((True, False), (False, True)):
        a, b = (torch.randn(1, 3, 5, 6, device=op_device, requires_grad=want) for want in wanted)
        local_correlation(a, b, 3).sum().backward()
        assert tuple(x.grad is not None for x in (a, b)) == wanted


def test_values_that_are_not_finite_stay_where_they_are_seen(op_device):
    a, b = torch.ones(2, 1, 3, 9, 20, device=op_device)
    b[0, 0, 4, 10] = float("nan")
    out, expected = (f(a, b, 3) for f in (local_correlation, local_correlation_reference))
    assert torch.equal(out.isnan(), expected.isnan()) and expected.isnan().sum() == 9
    assert torch.equal(out.nan_to_num(), expected.nan_to_num())


@settings(deadline=None, max_examples=60)
@given(
    st.tuples(st.integers(0, 2), st.integers(1, 9), st.integers(1, 11), st.integers(1, 35)),
    st.integers(0, 6), st.integers(1, 4), st.sampled_from([1, 3, 4]), st.integers(0, 2**31),
)
def test_any_size_equals_the_reference(shape, radius, dilation, level, seed):
    a, b = torch.randn(2, *shape, generator=torch.Generator().manual_seed(seed))
    a.requires_grad_(), b.requires_grad_()
    before = torch.ops.vis_projects.set_cpu_level(level) if has_native("local_correlation") else None
    try:
        out = local_correlation(a, b, 2 * radius + 1, dilation)
        expected = local_correlation_reference(a, b, 2 * radius + 1, dilation)
        grad = torch.randn_like(expected)
        assert_close(out, expected, 1e-5, "output")
        for got, want in zip(*(torch.autograd.grad(o, (a, b), grad) for o in (out, expected))):
            assert_close(got, want, 1e-5, "gradient")
    finally:
        if before is not None:
            torch.ops.vis_projects.set_cpu_level(before)


A = torch.zeros(2, 3, 4, 5)


@pytest.mark.parametrize(
    "arguments, message",
    [
        ((A[0], A[0], 3), r"one shape \(N, C, H, W\), got \(3, 4, 5\) and \(3, 4, 5\)"),
        ((A, A[:1], 3), r"\(2, 3, 4, 5\) and \(1, 3, 4, 5\)"),
        ((A, A.double(), 3), "a is torch.float32, b torch.float64; cast one of them"),
        ((A.int(), A.int(), 3), "needs floating tensors, got torch.int32"),
        ((A, A.to("meta"), 3), "a is on cpu, b on meta; move one of them"),
        ((A[:, :0], A[:, :0], 3), r"a channel or more, got a and b of \(2, 0, 4, 5\)"),
        ((A, A, 4), "patch_size must be odd and 1 or more, got 4"),
        ((A, A, -1), "patch_size must be odd and 1 or more, got -1"),
        ((A, A, 3, 0), "dilation must be 1 or more, got 0"),
        ((A, A, 3, 1, False, -0.5), "negative_slope must be 0 or more, got -0.5"),
    ],
)
def test_wrong_arguments_are_named(arguments, message):
    with pytest.raises(ValueError, match=message):
        local_correlation(*arguments)


@pytest.mark.skipif(not has_native("local_correlation"), reason="the op is not compiled here")
def test_the_op_itself_names_wrong_arguments():
    op, backward = torch.ops.vis_projects.local_correlation, torch.ops.vis_projects.local_correlation_backward
    with pytest.raises(RuntimeError, match="patch_size must be odd and 1 or more, got 2"):
        op(A, A, 2)
    with pytest.raises(RuntimeError, match="dimension 3 is 5 and 4"):
        op(A, A[..., :4], 3)
    with pytest.raises(RuntimeError, match="grad and out must have the shape of the output"):
        backward(A, A, A, None, 3, 1, False, 1.0, True, True)
    with pytest.raises(RuntimeError, match="needs out, the output of the forward pass"):
        backward(op(A, A, 3), A, A, None, 3, 1, False, 0.1, True, True)
