"""FrameTransform gives the sizes and pixels of Detectron2's own test-time resize."""

import numpy as np
import pytest
import torch
from detectron2.data import transforms as T

from vis_projects.data.frame_transform import FrameTransform, image_to_tensor


def image(height, width):
    return np.random.default_rng(0).integers(0, 256, (height, width, 3), dtype=np.uint8)


@pytest.mark.parametrize(("height", "width"), [(48, 64), (64, 48), (20, 100), (33, 33), (1, 7)])
def test_pixels_equal_resize_shortest_edge(height, width):
    frame = image(height, width)
    expected = T.AugInput(frame)
    T.ResizeShortestEdge([24, 24], 40)(expected)
    result = FrameTransform(24, 40)(frame)
    assert result.dtype == torch.uint8
    assert np.array_equal(result.permute(1, 2, 0).numpy(), expected.image)


def test_size_zero_keeps_the_frame():
    frame = image(5, 9)
    assert np.array_equal(FrameTransform(0, 10)(frame).permute(1, 2, 0).numpy(), frame)


@pytest.mark.parametrize(("height", "width"), [(48, 64), (64, 48), (24, 40), (1, 7)])
def test_without_the_ratio_every_frame_gets_one_size(height, width):
    result = FrameTransform(24, 40, keep_aspect_ratio=False)(image(height, width))
    assert result.shape == (3, 24, 40)
    assert FrameTransform(0, 40, keep_aspect_ratio=False)(image(height, width)).shape == (3, height, width)


def test_no_random_number_is_drawn():
    before = np.random.get_state()[1].copy()
    FrameTransform(24, 40)(image(48, 64))
    assert np.array_equal(np.random.get_state()[1], before)


def test_a_flipped_view_becomes_a_contiguous_tensor():
    frame = image(4, 6)[:, ::-1]
    tensor = image_to_tensor(frame)
    assert tensor.is_contiguous() and np.array_equal(tensor.permute(1, 2, 0).numpy(), frame)
