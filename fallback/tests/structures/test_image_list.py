"""ImageList: padding, divisibility, constraints, unpadded views."""

import pytest
import torch

from detectron2.structures import ImageList


@pytest.fixture
def pair():
    return [torch.ones(3, 4, 5), torch.full((3, 6, 2), 2.0)]


def test_needs_images():
    for nothing in ([], torch.ones(1, 3, 4, 5)):
        with pytest.raises(AssertionError):
            ImageList.from_tensors(nothing)


def test_pads_right_and_bottom(pair):
    images = ImageList.from_tensors(pair, pad_value=7.0)
    assert images.tensor.shape == (2, 3, 6, 5) and len(images) == 2
    assert images.image_sizes == [(4, 5), (6, 2)]
    assert bool((images.tensor[0, :, 4:] == 7).all()) and bool((images.tensor[1, :, :, 2:] == 7).all())
    assert torch.equal(images[0], pair[0]) and torch.equal(images[1], pair[1])


def test_index_is_a_view(pair):
    images = ImageList.from_tensors(pair)
    images[0].zero_()
    assert images.tensor[0].sum() == 0


@pytest.mark.parametrize(
    ("divisibility", "constraints", "shape"),
    [
        (0, None, (6, 5)),
        (1, None, (6, 5)),
        (4, None, (8, 8)),
        (32, {}, (32, 32)),
        (4, {"square_size": 0}, (8, 8)),
        (4, {"square_size": 10}, (12, 12)),
        (4, {"size_divisibility": 3}, (6, 6)),
        (4, {"square_size": 11, "size_divisibility": 0}, (11, 11)),
    ],
)
def test_sizes(pair, divisibility, constraints, shape):
    images = ImageList.from_tensors(pair, divisibility, padding_constraints=constraints)
    assert tuple(images.tensor.shape[-2:]) == shape


def test_images_without_channels_and_other_dtypes():
    images = ImageList.from_tensors([torch.ones(4, 5, dtype=torch.uint8)], 4)
    assert images.tensor.shape == (1, 4, 8) and images.tensor.dtype == torch.uint8


def test_wrong_images():
    with pytest.raises(AssertionError):
        ImageList.from_tensors([1, 2])
    with pytest.raises(AssertionError):
        ImageList.from_tensors([torch.ones(3, 4, 5), torch.ones(2, 4, 5)])


def test_to_and_device(pair):
    images = ImageList.from_tensors(pair).to(torch.float64)
    assert images.tensor.dtype == torch.float64 and images.device.type == "cpu"
    assert images.image_sizes == [(4, 5), (6, 2)]


def test_gradients_reach_every_image():
    images = torch.ones(2, 3, 4, 5, requires_grad=True)
    padded = ImageList.from_tensors([images[0], images[1][:, :2]], size_divisibility=8)
    padded.tensor.sum().backward()
    # every pixel counts once, but for the two cut rows of the second image: 3 x 2 x 5 pixels
    assert images.grad.sum().item() == 2 * 3 * 4 * 5 - 3 * 2 * 5
