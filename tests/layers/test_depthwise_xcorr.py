"""Depth-wise cross-correlation: the checks of fused ops, hand-worked numbers, simpler ops that it degenerates to."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn import functional as F

from tests.layers.op_tester import OpCase, OpTester, assert_close
from vis_projects.layers import depthwise_xcorr
from vis_projects.layers.depthwise_xcorr import depthwise_xcorr_reference


def _case(name, maps, count, channels, size, template, padding=0, index=None, scale=1.0):
    def make(generator):
        search = scale * torch.randn(maps, channels, *size, generator=generator, dtype=torch.float64)
        filters = scale * torch.randn(count, channels, *template, generator=generator, dtype=torch.float64)
        return (search, filters, padding, *([] if index is None else [torch.tensor(index, dtype=torch.int64)]))

    return OpCase(name, make)


class TestDepthwiseXcorr(OpTester):
    op = "depthwise_xcorr"
    face = staticmethod(depthwise_xcorr)
    reference = staticmethod(depthwise_xcorr_reference)
    cases = [
        _case("no template", 1, 0, 3, (9, 11), (7, 7), 3),
        _case("no template of any image", 2, 0, 3, (9, 11), (3, 3), 1, index=[]),
        _case("one pixel", 1, 2, 1, (1, 1), (1, 1)),
        _case("one pixel in zeros", 2, 2, 2, (1, 1), (3, 3), 1),
        _case("pairs, 7x7 to one value", 3, 3, 2, (7, 7), (7, 7)),
        _case("pairs, odd sizes", 3, 3, 2, (13, 37), (5, 5)),
        _case("rows of four chunks, even columns", 1, 2, 2, (19, 21), (15, 4), 2),
        _case("padding wider than the template", 1, 2, 2, (5, 18), (2, 3), 4),
        _case("mixed images, the second without templates", 3, 5, 2, (10, 23), (3, 3), 1, index=[2, 0, 2, 0, 2]),
        _case("large values", 1, 2, 2, (12, 20), (7, 7), 3, scale=30.0),
        _case("one frame", 1, 3, 4, (15, 35), (7, 7), 3),
    ]
    grad_cases = [
        _case("one frame", 1, 2, 2, (4, 5), (3, 3), 1),
        _case("pairs", 2, 2, 1, (5, 4), (2, 3)),
        _case("mixed images", 2, 3, 1, (3, 4), (3, 2), 2, index=[1, 0, 1]),
        _case("no template", 1, 0, 2, (4, 5), (3, 3)),
    ]


def test_it_correlates_without_turning_the_template():
    search = torch.tensor([[1.0, 2, 3], [4, 5, 6], [7, 8, 9]])[None, None]
    template = torch.tensor([[1.0, 0], [0, 10]])[None, None]
    # (0, 0): 1 * 1 + 10 * 5 = 51; (0, 1): 2 + 60 = 62; (1, 0): 4 + 80 = 84; (1, 1): 5 + 90 = 95
    assert depthwise_xcorr(search, template)[0, 0].tolist() == [[51, 62], [84, 95]]


def test_padding_is_zeros_on_each_side():
    search, template = torch.tensor([[2.0, 3]])[None, None], torch.tensor([[1.0, 10], [100, 1000]])[None, None]
    # the padded map is 0 0 0 0 / 0 2 3 0 / 0 0 0 0; row 0 sees the lower row of the template:
    # 100 * 0 + 1000 * 2, 100 * 2 + 1000 * 3, 100 * 3; row 1 the upper one: 10 * 2, 2 + 10 * 3, 3
    assert depthwise_xcorr(search, template, 1)[0, 0].tolist() == [[2000, 3200, 300], [20, 32, 3]]


def test_the_gradient_of_a_shared_map_is_summed_over_its_templates():
    search = torch.ones(1, 1, 2, 2, requires_grad=True)
    template = torch.tensor([2.0, 3.0]).view(2, 1, 1, 1).requires_grad_()
    depthwise_xcorr(search, template).sum().backward()
    assert search.grad.tolist() == [[[[5, 5], [5, 5]]]]  # 2 + 3
    assert template.grad.flatten().tolist() == [4, 4]  # four pixels of 1


def test_gradients_by_hand():
    search = torch.tensor([[1.0, 2, 4]])[None, None].requires_grad_()
    template = torch.tensor([[3.0, 5]])[None, None].requires_grad_()
    out = depthwise_xcorr(search, template)
    assert out.flatten().tolist() == [13, 26]  # 3 * 1 + 5 * 2, 3 * 2 + 5 * 4
    out.backward(torch.tensor([[10.0, 100]])[None, None])
    assert search.grad.flatten().tolist() == [30, 350, 500]  # 10 * 3, 10 * 5 + 100 * 3, 100 * 5
    assert template.grad.flatten().tolist() == [210, 420]  # 10 * 1 + 100 * 2, 10 * 2 + 100 * 4


@pytest.mark.parametrize("side", [1, 3, 5, 7, 9])
def test_a_template_of_one_centre_weight_returns_the_map(side):
    search = torch.randn(1, 3, 11, 27, generator=torch.Generator().manual_seed(0))
    template = torch.zeros(2, 3, side, side)
    template[:, :, side // 2, side // 2] = 1
    assert torch.equal(depthwise_xcorr(search, template, side // 2), search.expand(2, -1, -1, -1))


def test_a_place_of_the_map_is_the_correlation_with_the_patch_there():
    generator = torch.Generator().manual_seed(0)
    search, template = torch.randn(1, 4, 20, 30, generator=generator), torch.randn(1, 4, 7, 7, generator=generator)
    out = depthwise_xcorr(search, template, 3)
    patch = search[:, :, 5:12, 11:18]  # centred at row 8, column 14
    assert_close(depthwise_xcorr(patch, template)[0, :, 0, 0], out[0, :, 8, 14], 1e-6, "patch")


@settings(max_examples=40, deadline=None)
@given(st.data())
def test_it_is_a_convolution_with_one_group_per_channel(data):
    rows, columns, padding = data.draw(st.integers(1, 9)), data.draw(st.integers(1, 9)), data.draw(st.integers(0, 5))
    height = data.draw(st.integers(max(1, rows - 2 * padding), 24))
    width = data.draw(st.integers(max(1, columns - 2 * padding), 40))
    count, channels = data.draw(st.integers(1, 3)), data.draw(st.integers(1, 3))
    generator = torch.Generator().manual_seed(data.draw(st.integers(0, 1000)))
    search = torch.randn(count, channels, height, width, generator=generator)
    template = torch.randn(count, channels, rows, columns, generator=generator)
    expected = F.conv2d(search.double().reshape(1, -1, height, width), template.double().reshape(-1, 1, rows, columns),
                        padding=padding, groups=count * channels)
    got = depthwise_xcorr(search, template, padding)
    assert_close(got, expected.reshape(got.shape), 1e-5, "grouped convolution")


def test_images_of_a_batch_do_not_mix():
    generator = torch.Generator().manual_seed(0)
    search, template = torch.randn(2, 3, 9, 12, generator=generator), torch.randn(3, 3, 3, 3, generator=generator)
    together = depthwise_xcorr(search, template, 1, torch.tensor([1, 0, 1]))
    for n, image in enumerate((1, 0, 1)):
        assert torch.equal(together[n : n + 1], depthwise_xcorr(search[image : image + 1], template[n : n + 1], 1))
    assert torch.equal(depthwise_xcorr(search[:1], template, 1),
                       depthwise_xcorr(search[:1], template, 1, torch.zeros(3, dtype=torch.int64)))


def test_a_map_without_templates_gets_a_gradient_of_zeros():
    search = torch.ones(3, 2, 4, 4, requires_grad=True)
    depthwise_xcorr(search, torch.ones(2, 2, 3, 3), 0, torch.tensor([2, 0])).sum().backward()
    assert torch.equal(search.grad[1], torch.zeros(2, 4, 4))
    # a corner is seen by one output, the middle by all four
    assert search.grad[0, 0].tolist() == [[1, 2, 2, 1], [2, 4, 4, 2], [2, 4, 4, 2], [1, 2, 2, 1]]


@pytest.mark.parametrize("wanted", [(True, False), (False, True)])
def test_one_gradient_alone_is_the_same_as_with_the_other(wanted):
    generator = torch.Generator().manual_seed(0)
    inputs = torch.randn(1, 2, 9, 12, generator=generator), torch.randn(3, 2, 7, 7, generator=generator)
    both = [x.clone().requires_grad_() for x in inputs]
    alone = [x.clone().requires_grad_(want) for x, want in zip(inputs, wanted)]
    for args in (both, alone):
        depthwise_xcorr(*args, 3).square().sum().backward()
    for want, a, b in zip(wanted, alone, both):
        assert torch.equal(a.grad, b.grad) if want else a.grad is None


@pytest.mark.parametrize("half", [torch.bfloat16, torch.float16])
def test_half_types_are_summed_in_float32(half):
    # 4 + 399 * 2**-8 = 5.55859375; summed in bfloat16 each 2**-8 would be lost
    search = torch.full((1, 1, 20, 20), 2.0**-8, dtype=half)
    search[0, 0, 0, 0] = 4
    got = depthwise_xcorr(search, torch.ones(1, 1, 20, 20, dtype=half))
    assert got.dtype == half and got.item() == torch.tensor(5.55859375).to(half).item()


def test_values_near_the_end_of_float32_stay_finite():
    out = depthwise_xcorr(torch.full((1, 1, 7, 40), 1e18), torch.full((1, 1, 7, 7), 1e18))
    assert_close(out, torch.full((1, 1, 1, 34), 49e36, dtype=torch.float64), 1e-6, "49 * 1e18 * 1e18")


@pytest.mark.parametrize("width", [9, 23, 40])
def test_a_nan_reaches_the_outputs_that_see_it_and_no_other(width):
    search = torch.ones(1, 2, 11, width)
    search[0, 1, 5, width - 2] = torch.nan
    got = depthwise_xcorr(search, torch.ones(2, 2, 3, 3), 1)
    expected = torch.zeros(2, 2, 11, width, dtype=torch.bool)
    expected[:, 1, 4:7, width - 3 :] = True
    assert torch.equal(got.isnan(), expected)


@pytest.mark.parametrize(
    "search, template, padding, index, message",
    [
        ((3, 4, 5), (1, 3, 3, 3), 0, None, r"needs search \(B, C, H, W\)"),
        ((1, 4, 5, 5), (2, 3, 3, 3), 0, None, "4 channels, template 3"),
        ((1, 3, 5, 5), (2, 3, 3, 3), -1, None, "padding must be 0 or more, got -1"),
        ((1, 3, 5, 5), (2, 3, 3, 8), 1, None, r"\(3, 8\) does not fit .* \(5, 5\) with padding 1; raise padding"),
        ((1, 3, 5, 5), (2, 3, 0, 3), 1, None, r"template \(0, 3\) does not fit"),
        ((3, 3, 5, 5), (2, 3, 3, 3), 0, None, "1 map or one for each of the 2 templates, got 3; give image_index"),
        ((3, 3, 5, 5), (2, 3, 3, 3), 0, [0], "one entry for each of the 2 templates"),
        ((3, 3, 5, 5), (2, 3, 3, 3), 0, [0.0, 1.0], "image_index must be int64"),
    ],
)
def test_shapes_that_do_not_fit(search, template, padding, index, message):
    image_index = None if index is None else torch.tensor(index)
    with pytest.raises(ValueError, match=message):
        depthwise_xcorr(torch.ones(search), torch.ones(template), padding, image_index)


def test_dtypes_that_do_not_fit():
    with pytest.raises(ValueError, match="search is torch.float32, template torch.float64; cast one"):
        depthwise_xcorr(torch.ones(1, 1, 3, 3), torch.ones(1, 1, 3, 3, dtype=torch.float64))
    with pytest.raises(ValueError, match="needs floating tensors, got torch.int64"):
        depthwise_xcorr(torch.ones(1, 1, 3, 3, dtype=torch.int64), torch.ones(1, 1, 3, 3, dtype=torch.int64))


@pytest.mark.parametrize("index", [[0, 2], [-1, 0]])
def test_an_image_that_is_not_there(index):
    with pytest.raises(RuntimeError, match=r"image_index.*there are 2 search maps"):
        depthwise_xcorr(torch.ones(2, 1, 3, 3), torch.ones(2, 1, 3, 3), 0, torch.tensor(index))
