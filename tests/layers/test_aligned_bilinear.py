"""Aligned bilinear upsampling: numbers by hand and where the places of the input come to."""

import pytest
import torch
from torch.nn import functional as F

from vis_projects.layers import aligned_bilinear

SIX = torch.arange(6.0).view(1, 1, 2, 3)  # [[0, 1, 2], [3, 4, 5]]


def test_factor_two_by_hand():
    # columns: 0 at place 1, 1 at 3, 2 at 5, halves between them, the first one repeated before it; rows alike
    assert aligned_bilinear(SIX, 2)[0, 0].tolist() == [
        [0, 0, 0.5, 1, 1.5, 2],
        [0, 0, 0.5, 1, 1.5, 2],
        [1.5, 1.5, 2, 2.5, 3, 3.5],
        [3, 3, 3.5, 4, 4.5, 5],
    ]


def test_factor_four_by_hand():
    # the first row: two repeats, 0 at place 2, quarters up to 2 at place 10, which the last place repeats
    first = [0, 0, 0, 0.25, 0.5, 0.75, 1, 1.25, 1.5, 1.75, 2, 2]
    out = aligned_bilinear(SIX, 4)[0, 0]
    assert out.shape == (8, 12)
    assert out[0].tolist() == out[1].tolist() == out[2].tolist() == first
    assert out[6].tolist() == out[7].tolist() == [x + 3 for x in first]


@pytest.mark.parametrize("factor", [1, 2, 3, 4, 5])
def test_places_of_the_input_keep_their_values(factor):
    maps = torch.randn(2, 3, 5, 4, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    out = aligned_bilinear(maps, factor)
    assert out.shape == (2, 3, 5 * factor, 4 * factor)
    torch.testing.assert_close(out[:, :, factor // 2 :: factor, factor // 2 :: factor], maps)


def test_it_is_not_the_plain_resize():
    plain = F.interpolate(SIX, scale_factor=2, mode="bilinear", align_corners=False)
    assert (plain - aligned_bilinear(SIX, 2)).abs().max() > 0.1


def test_a_constant_stays_constant_and_one_pixel_fills_the_map():
    torch.testing.assert_close(aligned_bilinear(torch.full((1, 2, 3, 3), 7.5), 4), torch.full((1, 2, 12, 12), 7.5))
    torch.testing.assert_close(aligned_bilinear(torch.tensor([[[[3.0]]]]), 3), torch.full((1, 1, 3, 3), 3.0))


def test_no_map_works():
    assert aligned_bilinear(torch.zeros(0, 1, 3, 4), 2).shape == (0, 1, 6, 8)
    assert aligned_bilinear(torch.zeros(2, 0, 3, 4), 2).shape == (2, 0, 6, 8)


def test_gradcheck_and_dtype():
    maps = torch.randn(1, 1, 3, 2, generator=torch.Generator().manual_seed(0), dtype=torch.float64).requires_grad_()
    assert torch.autograd.gradcheck(lambda x: aligned_bilinear(x, 2), maps)
    assert aligned_bilinear(SIX.bfloat16(), 2).dtype == torch.bfloat16


@pytest.mark.parametrize(
    "maps, factor, message",
    [
        (torch.zeros(3, 4), 2, r"needs maps \(N, C, H, W\).*got \(3, 4\)"),
        (torch.zeros(1, 1, 0, 4), 2, "at least one pixel"),
        (SIX, 0, "factor must be 1 or more, got 0"),
    ],
)
def test_errors(maps, factor, message):
    with pytest.raises(ValueError, match=message):
        aligned_bilinear(maps, factor)


def test_no_map_is_still_part_of_the_graph():
    maps = torch.zeros(0, 1, 2, 3, requires_grad=True)
    aligned_bilinear(maps, 2).sum().backward()
    assert maps.grad.shape == (0, 1, 2, 3)
