import numpy as np
import pytest

from tests.visualization.scenes import frame, masks
from vis_projects.visualization.painter import paint_box, paint_label, paint_line, paint_mask

RED = (200, 0, 0)


def test_an_empty_mask_changes_nothing():
    image = frame()
    paint_mask(image, np.zeros((40, 60), bool), RED, 0.5)
    assert (image == 100).all()


def test_a_mask_is_mixed_inside_and_outlined():
    image = frame()
    paint_mask(image, masks((10, 5, 20, 15))[0].numpy(), RED, 0.25)
    # inside: 3/4 * 100 + 1/4 * (200, 0, 0) = (125, 75, 75); on the rim the colour itself
    assert image[10, 15].tolist() == [125, 75, 75]
    assert image[5, 10].tolist() == image[14, 19].tolist() == [200, 0, 0]
    outside = np.ones((40, 60), bool)
    outside[5:15, 10:20] = False
    assert (image[outside] == 100).all()


def test_alpha_zero_draws_the_outline_alone():
    image = frame()
    paint_mask(image, masks((10, 5, 20, 15))[0].numpy(), RED, 0)
    assert image[10, 15].tolist() == [100, 100, 100] and image[5, 10].tolist() == [200, 0, 0]


def test_a_mask_over_the_whole_frame():
    image = frame()
    paint_mask(image, np.ones((40, 60), bool), RED, 1.0)
    assert (image == RED).all()


@pytest.mark.parametrize("box", [(5, 5, 15, 10), (-1e12, 0, 1e12, 5), (float("nan"), 0, float("inf"), 9)])
def test_boxes_of_any_numbers(box):
    image = frame()
    paint_box(image, box, RED)
    assert image.shape == (40, 60, 3) and (image != 100).any()


@pytest.mark.parametrize("anchor", [(0, 0), (59, 39), (-500, 500), (30, 20)])
def test_labels_stay_in_the_image(anchor):
    image = frame(size=(80, 300))
    paint_label(image, "Tür 7", anchor, RED)
    assert (image == RED).all(axis=2).sum() > 50


def test_lines():
    image = frame()
    paint_line(image, [], RED)
    paint_line(image, [(3, 3)], RED)
    assert (image == 100).all()
    paint_line(image, [(3, 3), (30, 3)], RED)
    assert (image[3, 5:28, 0] > 150).all()
