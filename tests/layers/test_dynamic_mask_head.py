"""Dynamic mask head: numbers by hand, simpler ops it must equal, and all checks of a fused op."""

import pytest
import torch
from hypothesis import given, settings, strategies as st

from tests.layers.op_tester import OpCase, OpTester, assert_close
from vis_projects.layers import dynamic_mask_head, mask_head_params
from vis_projects.layers.dynamic_mask_head import dynamic_mask_head_reference


def _case(name, images, channels, height, width, count, rel_coords=True, stride=8, scale=0.3):
    """Whole-number places and sizes, as they have no gradient."""

    def make(generator):
        feats = scale * torch.randn(images, channels, height, width, generator=generator, dtype=torch.float64)
        size = mask_head_params(channels, rel_coords)
        params = scale * torch.randn(count, size, generator=generator, dtype=torch.float64)
        locations = soi = None
        if rel_coords:
            locations = torch.randint(0, stride * max(height, width), (count, 2), generator=generator)
            soi = 2 ** torch.randint(6, 11, (count,), generator=generator)
        return feats, params, locations, soi, stride, torch.randint(0, images, (count,), generator=generator)

    return OpCase(name, make)


class TestDynamicMaskHead(OpTester):
    op = "dynamic_mask_head"
    face = staticmethod(dynamic_mask_head)
    reference = staticmethod(dynamic_mask_head_reference)
    cases = (
        _case("no instance", 2, 8, 5, 6, 0),
        _case("one pixel", 1, 8, 1, 1, 2),
        _case("odd size", 1, 8, 13, 7, 3),
        _case("several tiles", 1, 8, 31, 45, 4),
        _case("more channels, odd number", 2, 11, 9, 17, 3),
        _case("one channel", 1, 1, 4, 33, 2, stride=4),
        _case("no relative coordinates", 2, 8, 6, 11, 3, rel_coords=False),
        _case("large values", 1, 8, 9, 16, 3, scale=4.0),
        _case("images without and with several instances", 4, 8, 12, 20, 5),
    )
    grad_cases = (
        _case("two images", 2, 8, 3, 2, 3, scale=0.6),
        _case("three channels, no coordinates", 1, 3, 2, 3, 2, rel_coords=False, scale=0.6),
    )

    def test_gradients_in_half_precision_follow_rounded_inputs(self, op_device):
        case = self.cases[-1]
        feats, params, locations, soi, stride, im_inds = self._args(case)
        feats, params = (x.to(op_device, torch.bfloat16).requires_grad_() for x in (feats, params))
        rest = locations.to(op_device), soi.to(op_device), stride, im_inds.to(op_device)
        grads = torch.autograd.grad(dynamic_mask_head(feats, params, *rest).float().sum(), (feats, params))
        wide = [x.detach().float().requires_grad_() for x in (feats, params)]
        expected = torch.autograd.grad(dynamic_mask_head(*wide, *rest).sum(), wide)
        for got, want in zip(grads, expected):
            assert_close(got, want.to(torch.bfloat16), 1e-2, case.name)

    def test_the_op_itself_checks_its_arguments(self):
        self._needs_native()
        op = torch.ops.vis_projects.dynamic_mask_head
        for changes, message in (({"params": torch.zeros(5, 168)}, "params must have 169 columns for 8 channels"),
                                 ({"mask_feats": torch.zeros(1, 8, 3)}, r"must be \(B, C, H, W\)"),
                                 ({"mask_feats": torch.zeros(0, 8, 3, 4)}, "has no image for 5 instances"),
                                 ({"soi": None}, "give both locations and soi"),
                                 ({"stride": 0}, "stride must be 1 or more")):
            with pytest.raises(RuntimeError, match=message):
                op(*{**GOOD, **changes}.values())


def _head(channels=8, rel_coords=True, count=1, **values):
    """Parameters that are 0 but for `values`, such as weight1={(output, input): value}."""
    inputs = channels + 2 * rel_coords
    params = torch.zeros(count, mask_head_params(channels, rel_coords), dtype=torch.float64)
    start, blocks = 0, {}
    for name, shape in (("weight1", (8, inputs)), ("weight2", (8, 8)), ("weight3", (1, 8)),
                        ("bias1", (8,)), ("bias2", (8,)), ("bias3", (1,))):
        size = torch.Size(shape).numel()
        blocks[name] = params[:, start : start + size].unflatten(1, shape)
        start += size
    assert start == params.shape[1]
    for name, entries in values.items():
        for place, value in entries.items():
            blocks[name][(slice(None), *(place if isinstance(place, tuple) else (place,)))] = value
    return params


IMAGE_0 = torch.tensor([0])


def test_numbers_of_params():
    assert mask_head_params() == 80 + 64 + 8 + 8 + 8 + 1 == 169
    assert mask_head_params(rel_coords=False) == 64 + 64 + 8 + 8 + 8 + 1 == 153
    assert mask_head_params(16) == 8 * 18 + 64 + 8 + 17 == 233


def test_one_path_through_the_layers_by_hand():
    # hidden 3 = relu(2 F[5] - 1), hidden 6 of the second layer = relu(1/2 hidden 3 + 1/4), logit = 3 hidden 6 - 5
    params = _head(weight1={(3, 2 + 5): 2.0}, bias1={3: -1.0}, weight2={(6, 3): 0.5}, bias2={6: 0.25},
                   weight3={(0, 6): 3.0}, bias3={0: -5.0})
    feats = torch.zeros(1, 8, 1, 3, dtype=torch.float64)
    feats[0, 5, 0] = torch.tensor([-1.0, 0.25, 1.0])
    out = dynamic_mask_head(feats, params, torch.tensor([[4, 4]]), torch.tensor([64]), 8, IMAGE_0)
    # -1: 2 * -1 - 1 < 0, so 0; 1/4 passes: 3/4 - 5.  1/4: 1/2 - 1 < 0, the same.  1: 1 -> 1/2 + 1/4 -> 9/4 - 5
    assert out.tolist() == [[[[-17 / 4, -17 / 4, -11 / 4]]]]


def test_relative_coordinates_by_hand():
    # hidden 0 = relu(x + 10), hidden 1 = relu(y + 10); the logit 8 (hidden 0 - 10) + 64 (hidden 1 - 10) is 8 x + 64 y
    params = _head(weight1={(0, 0): 1.0, (1, 1): 1.0}, bias1={0: 10.0, 1: 10.0},
                   weight2={(0, 0): 1.0, (1, 1): 1.0}, weight3={(0, 0): 8.0, (0, 1): 64.0}, bias3={0: -720.0})
    feats = torch.zeros(1, 8, 2, 3, dtype=torch.float64)
    # centres at stride 8: x 4, 12, 20; y 4, 12. Location minus centre, by 32: x (1/4, 0, -1/4), y (1, 3/4)
    out = dynamic_mask_head(feats, params, torch.tensor([[12, 36]]), torch.tensor([32]), 8, IMAGE_0)
    assert out[0, 0].tolist() == [[66, 64, 62], [50, 48, 46]]
    # stride 5 has its centres at 2, 7, 12 and 2, 7: x (10/32, 5/32, 0), y (34/32, 29/32)
    out = dynamic_mask_head(feats, params, torch.tensor([[12, 36]]), torch.tensor([32]), 5, IMAGE_0)
    assert out[0, 0].tolist() == [[68 + 5 / 2, 68 + 5 / 4, 68], [58 + 5 / 2, 58 + 5 / 4, 58]]


def test_values_of_the_published_head():
    # p[i] = sin(i / 20), f[i] = cos(i / 10): figures that the authors' code gives for the same call
    params = torch.sin(0.05 * torch.arange(2 * 169)).view(2, 169)
    feats = torch.cos(0.1 * torch.arange(2 * 8 * 2 * 3)).view(2, 8, 2, 3)
    locations, soi = torch.tensor([[12, 4], [20, 12]]), torch.tensor([64, 256])
    out = dynamic_mask_head(feats, params, locations, soi, 8, torch.tensor([0, 1]))
    expected = [[[9.644112, 9.275207, 8.965719], [8.930992, 8.808321, 8.674621]],
                [[-1.341737, -1.301097, -1.246825], [-1.229538, -1.149029, -1.056176]]]
    torch.testing.assert_close(out[:, 0], torch.tensor(expected), atol=1e-5, rtol=0)


def test_gradients_by_hand():
    # logit = 3 relu(1/2 relu(2 F[0] - 1) + 1/4) - 5 at F[0] = 1, where both relus are open: 2 * 1/2 * 3 to the feature
    params = _head(1, False, weight1={(3, 0): 2.0}, bias1={3: -1.0}, weight2={(6, 3): 0.5}, bias2={6: 0.25},
                   weight3={(0, 6): 3.0}, bias3={0: -5.0}).requires_grad_()
    feats = torch.tensor([1.0, 0.25], dtype=torch.float64).reshape(1, 1, 1, 2).requires_grad_()
    grad = torch.tensor([10.0, 1.0], dtype=torch.float64).reshape(1, 1, 1, 2)
    dynamic_mask_head(feats, params, None, None, 8, IMAGE_0).backward(grad)
    # at F[0] = 1/4 the first relu is shut, the second open
    assert feats.grad.flatten().tolist() == [30.0, 0.0]
    expected = _head(
        1, False,
        bias3={0: 11.0},                  # 10 + 1
        weight3={(0, 6): 10 * 3 / 4 + 1 / 4},  # hidden 6 is 3/4 and 1/4
        bias2={6: 3 * 11.0},
        weight2={(6, 3): 3 * 10 * 1.0},   # hidden 3 is 1 and 0
        bias1={3: 3 * 10 / 2},
        weight1={(3, 0): 3 * 10 / 2},     # the feature is 1
    )
    assert params.grad.tolist() == expected.tolist()


def test_a_linear_head_is_a_weighted_sum_of_channels():
    # large biases keep both relus open, so the layers are one matrix product
    generator = torch.Generator().manual_seed(3)
    feats = torch.randn(2, 8, 9, 14, generator=generator, dtype=torch.float64)
    first, second = (0.2 * torch.randn(8, 8, generator=generator, dtype=torch.float64) for _ in range(2))
    third = torch.randn(8, generator=generator, dtype=torch.float64)
    bias1, bias2 = torch.full((8,), 100.0, dtype=torch.float64), torch.full((8,), 1000.0, dtype=torch.float64)
    params = torch.cat([first.flatten(), second.flatten(), third, bias1, bias2, torch.zeros(1, dtype=torch.float64)])
    out = dynamic_mask_head(feats, params.expand(2, -1), None, None, 8, torch.tensor([1, 0]))
    mixed = torch.einsum("c,bchw->bhw", third @ second @ first, feats) + third @ (second @ bias1 + bias2)
    torch.testing.assert_close(out[:, 0], mixed.flip(0))


def test_crossover_uses_the_filters_of_one_frame_on_the_other():
    generator = torch.Generator().manual_seed(5)
    frames = torch.randn(2, 8, 6, 10, generator=generator, dtype=torch.float64)
    params = 0.3 * torch.randn(2, 169, generator=generator, dtype=torch.float64)
    locations, soi = torch.tensor([[12, 20], [68, 44]]), torch.tensor([64, 128])
    within = dynamic_mask_head(frames, params, locations, soi, 8, torch.tensor([0, 1]))
    # filters of frame 0 with features, location and size of frame 1, and the reverse
    crossed = dynamic_mask_head(frames, params, locations.flip(0), soi.flip(0), 8, torch.tensor([1, 0]))
    alone = dynamic_mask_head(frames[1:], params[:1], locations[1:], soi[1:], 8, IMAGE_0)
    assert torch.equal(crossed[:1], alone)
    assert (crossed - within).abs().max() > 0.1
    # equal frames, locations and sizes: crossing over changes nothing
    same = dynamic_mask_head(frames[:1].expand(2, -1, -1, -1), params, locations[:1].expand(2, -1), soi[:1].expand(2),
                             8, torch.tensor([1, 0]))
    assert torch.equal(same[:1], within[:1])


def test_crossover_gradients_go_to_the_filters_and_to_the_other_frame_alone():
    feats = torch.rand(2, 8, 4, 5, generator=torch.Generator().manual_seed(1)).requires_grad_()  # opens every relu
    params = torch.full((1, 169), 0.1).requires_grad_()
    out = dynamic_mask_head(feats, params, torch.tensor([[12, 12]]), torch.tensor([64]), 8, torch.tensor([1]))
    out.sum().backward()
    assert feats.grad[0].abs().max() == 0 and feats.grad[1].abs().min() > 0
    assert params.grad.abs().max() > 0


def test_an_image_without_instances_gets_a_zero_gradient():
    feats = torch.randn(3, 8, 5, 5, generator=torch.Generator().manual_seed(1)).requires_grad_()
    params = torch.zeros(0, 169).requires_grad_()
    out = dynamic_mask_head(feats, params, torch.zeros(0, 2), torch.zeros(0), 8, torch.zeros(0, dtype=torch.int64))
    assert out.shape == (0, 1, 5, 5)
    out.sum().backward()
    assert feats.grad.shape == feats.shape and not feats.grad.any() and params.grad.shape == (0, 169)


def test_maps_without_pixels_work():
    feats, params = torch.zeros(1, 8, 0, 5).requires_grad_(), torch.ones(2, 169).requires_grad_()
    out = dynamic_mask_head(feats, params, torch.zeros(2, 2), torch.ones(2), 8, torch.zeros(2, dtype=torch.int64))
    assert out.shape == (2, 1, 0, 5)
    out.sum().backward()
    assert not params.grad.any()


@pytest.mark.parametrize("wanted", [(True, False), (False, True)])
def test_only_the_gradients_that_are_needed(wanted):
    generator = torch.Generator().manual_seed(2)
    inputs = [torch.randn(1, 8, 20, 20, generator=generator), 0.3 * torch.randn(3, 169, generator=generator)]
    locations, soi = torch.tensor([[4, 4], [80, 20], [36, 100]]), torch.tensor([64, 64, 128])
    rest = locations, soi, 8, torch.zeros(3, dtype=torch.int64)
    both = [x.clone().requires_grad_() for x in inputs]
    expected = torch.autograd.grad(dynamic_mask_head(*both, *rest).square().sum(), both)
    some = [x.clone().requires_grad_(want) for x, want in zip(inputs, wanted)]
    dynamic_mask_head(*some, *rest).square().sum().backward()
    for x, want, grad in zip(some, wanted, expected):
        assert torch.equal(x.grad, grad) if want else x.grad is None


def test_places_between_pixels_and_uneven_sizes():
    generator = torch.Generator().manual_seed(4)
    feats, params = torch.randn(1, 8, 6, 9, generator=generator), 0.3 * torch.randn(2, 169, generator=generator)
    im_inds = torch.zeros(2, dtype=torch.int64)
    locations, soi = torch.tensor([[10.3, -7.75], [300.5, 1e4]]), torch.tensor([77.7, 1.5])
    expected = dynamic_mask_head_reference(feats.double(), params.double(), locations, soi, 8, im_inds)
    assert_close(dynamic_mask_head(feats, params, locations, soi, 8, im_inds), expected, 1e-5, "float32 places")
    turned = locations.t().contiguous().t()
    spread = torch.stack([soi, soi * float("nan")], dim=1)[:, 0]
    assert_close(dynamic_mask_head(feats, params, turned, spread, 8, im_inds), expected, 1e-5, "places with strides")
    wide = locations.double(), soi.double()
    assert_close(dynamic_mask_head(feats, params, *wide, 8, im_inds), expected, 1e-5, "float64 places")


def test_autocast_keeps_the_coordinates_exact():
    # x of 1023 against the centre 1020: bfloat16 has 1024 and 1016 only
    params = _head(weight1={(0, 0): 1.0}, weight2={(0, 0): 1.0}, weight3={(0, 0): 1.0}).float()
    args = torch.zeros(1, 8, 1, 128), params, torch.tensor([[1023.0, 4.0]]), torch.tensor([1.0]), 8, IMAGE_0
    with torch.autocast("cpu", dtype=torch.bfloat16):
        out = dynamic_mask_head(*args)
    assert out.dtype == torch.bfloat16 and out[0, 0, 0, 127] == 3


def test_huge_values_stay_finite():
    # 1e8 in features and weights: logits near 1e33, below the end of float32 at 3e38; with gradients of the same size
    feats, params, *rest = _case("x", 1, 8, 9, 16, 3, scale=1e8).make(torch.Generator().manual_seed(1))
    results = []
    for face, dtype in ((dynamic_mask_head, torch.float32), (dynamic_mask_head_reference, torch.float64)):
        inputs = feats.to(dtype).requires_grad_(), params.to(dtype).requires_grad_()
        out = face(*inputs, *rest)
        results.append((out, *torch.autograd.grad(out.sum(), inputs)))
    for got, expected in zip(*results, strict=True):
        assert expected.abs().max() > 1e25
        assert_close(got, expected, 1e-5, "huge values")


def test_nan_stays_nan():
    feats = torch.zeros(1, 8, 1, 40)
    feats[0, 2, 0, 17] = float("nan")
    out = dynamic_mask_head(feats, torch.full((1, 169), 0.1), torch.tensor([[4, 4]]), torch.tensor([64]), 8, IMAGE_0)
    assert torch.isnan(out).flatten().nonzero().flatten().tolist() == [17]


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 3), st.integers(1, 12), st.integers(1, 24), st.integers(1, 24), st.integers(0, 4), st.booleans(),
       st.integers(1, 9), st.integers(0, 2**31))
def test_any_size_equals_the_reference(images, channels, height, width, count, rel_coords, stride, seed):
    make = _case("any", images, channels, height, width, count, rel_coords, stride).make
    feats, params, *rest = make(torch.Generator().manual_seed(seed))
    results = []
    for face in (dynamic_mask_head, dynamic_mask_head_reference):
        inputs = feats.clone().requires_grad_(), params.clone().requires_grad_()
        out = face(*inputs, *rest)
        results.append((out, *torch.autograd.grad(out.square().sum(), inputs)))
    for got, expected in zip(*results, strict=True):
        assert_close(got, expected, 1e-10, "any size")


def test_sums_have_one_order_whatever_the_number_of_instances():
    # an instance's own results do not depend on who else is in the call
    feats, params, locations, soi, stride, im_inds = _case("x", 1, 8, 30, 40, 6).make(torch.Generator().manual_seed(1))
    together = dynamic_mask_head(feats.float(), params.float(), locations, soi, stride, im_inds)
    alone = dynamic_mask_head(feats.float(), params[3:4].float(), locations[3:4], soi[3:4], stride, im_inds[3:4])
    assert torch.equal(together[3:4], alone)


GOOD = {
    "mask_feats": torch.zeros(2, 8, 3, 4),
    "params": torch.zeros(5, 169),
    "locations": torch.zeros(5, 2),
    "soi": torch.ones(5),
    "stride": 8,
    "im_inds": torch.zeros(5, dtype=torch.int64),
}


@pytest.mark.parametrize(
    "changes, message",
    [
        ({"mask_feats": torch.zeros(8, 3, 4)}, r"needs mask_feats \(B, C, H, W\).*got \(8, 3, 4\)"),
        ({"params": torch.zeros(5, 153)},
         "params has 153 columns, a head for 8 channels with relative coordinates has 169"),
        ({"locations": None, "soi": None},
         "params has 169 columns, a head for 8 channels without relative coordinates has 153"),
        ({"mask_feats": torch.zeros(2, 65, 3, 4)}, "65 channels; 1 to 64 work"),
        ({"params": torch.zeros(5, 169, dtype=torch.float64)}, "mask_feats is torch.float32, params torch.float64"),
        ({"mask_feats": torch.zeros(2, 8, 3, 4, dtype=torch.int64), "params": torch.zeros(5, 169, dtype=torch.int64)},
         "needs floating mask_feats"),
        ({"soi": None}, "give both locations and soi, or neither"),
        ({"locations": torch.zeros(5, 3)}, r"locations must be \(5, 2\) real numbers, got torch.float32 \(5, 3\)"),
        ({"soi": torch.ones(4)}, r"soi must be \(5,\)"),
        ({"stride": 0}, "stride must be 1 or more, got 0"),
        ({"im_inds": torch.zeros(5, dtype=torch.int32)}, "im_inds must be int64.*got torch.int32"),
        ({"im_inds": torch.zeros(4, dtype=torch.int64)},
         r"one entry for each of the 5 instances, got torch.int64 \(4,\)"),
        ({"locations": torch.zeros(5, 2, device="meta")}, "mask_feats is on cpu, locations on meta"),
    ],
)
def test_errors_name_the_argument(changes, message):
    with pytest.raises(ValueError, match=message):
        dynamic_mask_head(**{**GOOD, **changes})


@pytest.mark.parametrize("bad", [-1, 2])
def test_an_image_that_is_not_there_is_named(bad):
    with pytest.raises(RuntimeError, match=rf"im_inds.* {bad}.* has 2 images"):
        dynamic_mask_head(**{**GOOD, "im_inds": torch.tensor([0, 1, bad, 0, 0])})

