"""Each augmentation: what it draws from np.random, in which order, and what it makes of it."""

import numpy as np
import pytest
from detectron2.data import transforms as T

RNG = np.random.RandomState(0)
IMAGE = RNG.randint(0, 256, (30, 40, 3)).astype(np.uint8)


def draw(aug, image=IMAGE, seed=0):
    np.random.seed(seed)
    return aug.get_transform(image)


@pytest.mark.parametrize("seed", range(4))
def test_flip_draws_one_number(seed):
    np.random.seed(seed)
    flips = np.random.uniform() < 0.5
    tfm = draw(T.RandomFlip(), seed=seed)
    assert isinstance(tfm, T.HFlipTransform if flips else T.NoOpTransform)
    after = np.random.uniform()
    np.random.seed(seed)
    assert np.random.uniform(size=2)[1] == after


def test_flip_direction():
    assert isinstance(draw(T.RandomFlip(1.0, horizontal=False, vertical=True)), T.VFlipTransform)
    for wrong in ({"vertical": True}, {"horizontal": False}):
        with pytest.raises(ValueError):
            T.RandomFlip(**wrong)


def test_random_apply():
    inputs = T.AugInput(IMAGE)
    assert isinstance(T.RandomApply(T.HFlipTransform(40), 0.0)(inputs), T.NoOpTransform)
    assert isinstance(T.RandomApply(T.RandomFlip(1.0), 1.0)(inputs), T.HFlipTransform)
    assert np.array_equal(inputs.image, IMAGE[:, ::-1])
    with pytest.raises(AssertionError):
        T.RandomApply(T.RandomFlip(), 1.5)


@pytest.mark.parametrize(
    "size, short, longest, expected",
    [
        ((480, 640), 800, 1333, (800, 1067)),  # 640 * 800 / 480 = 1066.67
        ((1080, 1920), 800, 1333, (750, 1333)),  # capped: 1333 * 1080 / 1920 = 749.8
        ((20, 10), 5, 7, (7, 4)),  # 10 capped to 7, 5 * 7 / 10 = 3.5 rounds up
        ((7, 7), 3, 3, (3, 3)),
    ],
)
def test_shortest_edge_shapes(size, short, longest, expected):
    assert T.ResizeShortestEdge.get_output_shape(*size, short, longest) == expected


def test_shortest_edge_draws():
    np.random.seed(1)
    size = np.random.randint(10, 21)
    tfm = draw(T.ResizeShortestEdge((10, 20), 100), seed=1)
    assert (tfm.new_h, tfm.new_w) == T.ResizeShortestEdge.get_output_shape(30, 40, size, 100)
    np.random.seed(1)
    size = np.random.choice((10, 15, 20))
    assert draw(T.ResizeShortestEdge((10, 15, 20), 100, "choice"), seed=1).new_h == size
    assert isinstance(draw(T.ResizeShortestEdge(0)), T.NoOpTransform)


def test_shortest_edge_arguments():
    with pytest.raises(AssertionError):
        T.ResizeShortestEdge(5, 10, "other")
    with pytest.raises(AssertionError):
        T.ResizeShortestEdge((5, 6, 7), 10)


def test_crop_sizes():
    assert T.RandomCrop("relative", (0.5, 0.33)).get_crop_size((30, 40)) == (15, 13)
    assert T.RandomCrop("absolute", (10, 100)).get_crop_size((30, 40)) == (10, 40)
    np.random.seed(2)
    fractions = np.float32([0.5, 0.5]) + np.random.rand(2) * (1 - np.float32([0.5, 0.5]))
    np.random.seed(2)
    size = T.RandomCrop("relative_range", (0.5, 0.5)).get_crop_size((30, 40))
    assert size == (int(30 * fractions[0] + 0.5), int(40 * fractions[1] + 0.5))
    np.random.seed(2)
    expected = (np.random.randint(10, 21), np.random.randint(10, 21))
    np.random.seed(2)
    assert T.RandomCrop("absolute_range", (10, 20)).get_crop_size((30, 40)) == expected
    with pytest.raises(AssertionError):
        T.RandomCrop("other", (1, 1))


def test_crop_place_is_top_then_left():
    np.random.seed(3)
    top, left = np.random.randint(30 - 15 + 1), np.random.randint(40 - 20 + 1)
    tfm = draw(T.RandomCrop("relative", (0.5, 0.5)), seed=3)
    assert (tfm.x0, tfm.y0, tfm.w, tfm.h) == (left, top, 20, 15)
    with pytest.raises(AssertionError):
        draw(T.RandomCrop("relative", (1.5, 0.5)))


def test_category_area_constraint():
    labels = np.zeros((30, 40), np.uint8)
    labels[:, 20:] = 1
    aug = T.RandomCrop_CategoryAreaConstraint("absolute", (10, 10), 0.75)
    for seed in range(5):
        np.random.seed(seed)
        cropped = aug.get_transform(IMAGE, labels).apply_segmentation(labels)
        # one class takes at most 3/4 of 100 pixels, unless ten tries were not enough
        assert cropped.shape == (10, 10)
    np.random.seed(0)
    free = T.RandomCrop_CategoryAreaConstraint("absolute", (10, 10)).get_transform(IMAGE, labels)
    plain = draw(T.RandomCrop("absolute", (10, 10)))
    assert (free.x0, free.y0) == (plain.x0, plain.y0)


def test_brightness_contrast_saturation():
    grey = np.full((2, 2, 3), 100, np.uint8)
    np.random.seed(4)
    weight = np.random.uniform(0.5, 0.9)
    bright = draw(T.RandomBrightness(0.5, 0.9), grey, 4).apply_image(grey)
    assert np.all(bright == int(100 * weight))
    # a grey image has neither contrast nor colour to lose, up to rounding
    for aug in (T.RandomContrast(0.5, 0.9), T.RandomSaturation(0.5, 0.9)):
        assert np.abs(draw(aug, grey, 4).apply_image(grey).astype(int) - 100).max() <= 1
    with pytest.raises(AssertionError):
        draw(T.RandomSaturation(0.5, 0.9), np.zeros((2, 2, 1), np.uint8))


def test_lighting_adds_one_colour():
    image = np.full((2, 2, 3), 100.0, np.float32)
    lit = draw(T.RandomLighting(50.0), image).apply_image(image)
    added = lit - image
    assert np.all(added == added[0, 0]) and np.any(added != 0)
    assert np.all(draw(T.RandomLighting(0.0), image).apply_image(image) == image)


def test_rotation_draws():
    np.random.seed(5)
    angle = np.random.uniform(-30, 30)
    assert draw(T.RandomRotation([-30, 30]), seed=5).angle == angle
    x, y = np.random.RandomState(5).uniform(size=3)[1:]
    tfm = draw(T.RandomRotation([-30, 30], expand=False, center=[[0, 0], [1, 1]]), seed=5)
    assert tfm.center == pytest.approx((40 * x, 30 * y))
    assert isinstance(draw(T.RandomRotation([0, 360], sample_style="choice")), T.NoOpTransform)
    with pytest.raises(AssertionError):
        T.RandomRotation(5, sample_style="other")


def test_resize_scale_fits_into_the_target():
    # target 60 x 60 at scale 1: 30 x 40 grows by min(60/30, 60/40) = 3/2
    tfm = draw(T.ResizeScale(1.0, 1.0, 60, 60))
    assert (tfm.new_h, tfm.new_w) == (45, 60)


def test_fixed_size_crop_fills_up():
    # 25 x 50: cut in height, fill in width
    done = draw(T.FixedSizeCrop((25, 50), pad_value=9))
    image = done.apply_image(IMAGE)
    assert image.shape == (25, 50, 3) and np.all(image[:, 40:] == 9)
    assert len(draw(T.FixedSizeCrop((25, 50), pad=False))) == 1
