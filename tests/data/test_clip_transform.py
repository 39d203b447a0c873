"""ClipAugmentation: one draw for a clip, the same for each frame; all options and their errors."""

import numpy as np
import pytest
from detectron2.data import transforms as T

from vis_projects.data.clip_transform import ClipAugmentation


def rng(seed=0):
    return np.random.default_rng(seed)


def frames(count=3, height=40, width=60):
    return [np.random.default_rng(t).integers(0, 256, (height, width, 3), dtype=np.uint8) for t in range(count)]


def test_without_options_only_the_resize_is_left():
    drawn = ClipAugmentation((0,), 1000, flip="none").draw(40, 60, 2, rng())
    image = frames()[0]
    assert np.array_equal(drawn.apply_image(image, 0), image)
    assert np.array_equal(drawn.geometry.apply_box(np.array([[1.0, 2.0, 5.0, 9.0]])), [[1, 2, 5, 9]])


def test_every_frame_gets_the_same_size_and_flip():
    augmentation = ClipAugmentation((20, 24, 28), 50)
    flips, sizes = set(), set()
    for seed in range(40):
        drawn = augmentation.draw(40, 60, 3, rng(seed))
        shapes = {drawn.apply_image(image, t).shape for t, image in enumerate(frames())}
        assert len(shapes) == 1
        sizes |= {shape[0] for shape in shapes}
        box = drawn.geometry.apply_box(np.array([[0.0, 0.0, 6.0, 4.0]]))[0]
        flips.add(bool(box[0] > 1))
    assert sizes == {20, 24, 28} and flips == {True, False}


def test_without_the_ratio_boxes_follow_each_axis():
    drawn = ClipAugmentation((20,), 120, flip="none", keep_aspect_ratio=False).draw(40, 60, 2, rng())
    assert drawn.apply_image(frames()[0], 0).shape == (20, 120, 3)
    # heights are halved, widths doubled
    assert np.allclose(drawn.geometry.apply_box(np.array([[1.0, 2.0, 5.0, 10.0]])), [[2, 1, 10, 5]])


def test_flip_mirrors_pixels_and_boxes():
    augmentation = ClipAugmentation((0,), 1000)
    drawn = next(d for d in (augmentation.draw(4, 6, 1, rng(s)) for s in range(20)) if len(d.geometry.transforms) == 2)
    image = frames(1, 4, 6)[0]
    assert np.array_equal(drawn.apply_image(image, 0), image[:, ::-1])
    # x0 = 6 - 3, x1 = 6 - 1
    assert drawn.geometry.apply_box(np.array([[1.0, 0.0, 3.0, 2.0]]))[0].tolist() == [3, 0, 5, 2]


def test_vertical_flip():
    augmentation = ClipAugmentation((0,), 1000, flip="vertical")
    drawn = next(d for d in (augmentation.draw(4, 6, 1, rng(s)) for s in range(20)) if len(d.geometry.transforms) == 2)
    image = frames(1, 4, 6)[0]
    assert np.array_equal(drawn.apply_image(image, 0), image[::-1])


def test_range_sampling_reaches_both_ends():
    augmentation = ClipAugmentation((20, 22), 1000, min_size_sampling="range", flip="none")
    heights = {augmentation.draw(40, 60, 1, rng(s)).apply_image(frames()[0], 0).shape[0] for s in range(40)}
    assert heights == {20, 21, 22}


def test_one_colour_change_for_the_clip_or_one_per_frame():
    same = ClipAugmentation((0,), 1000, color_jitter=True).draw(40, 60, 3, rng())
    assert len(same.colors) == 3 and len(set(same.colors)) == 1
    each = ClipAugmentation((0,), 1000, color_jitter=True, per_frame_jitter=True).draw(40, 60, 3, rng())
    assert len(set(each.colors)) == 3
    image = frames()[0]
    assert np.array_equal(same.apply_image(image, 0), same.apply_image(image, 2))
    assert not np.array_equal(each.apply_image(image, 0), each.apply_image(image, 2))


@pytest.mark.parametrize(("kind", "size", "low", "high"), [
    ("relative", (0.5, 0.25), (20, 15), (20, 15)),
    ("relative_range", (0.5, 0.25), (20, 15), (40, 60)),
    ("absolute", (10, 100), (10, 60), (10, 60)),
    ("absolute_range", (10, 30), (10, 10), (30, 30)),
])
def test_crops_have_the_size_of_their_type(kind, size, low, high):
    augmentation = ClipAugmentation((0,), 1000, flip="none", crop=(kind, size))
    for seed in range(20):
        drawn = augmentation.draw(40, 60, 1, rng(seed))
        assert drawn.crops
        height, width = drawn.apply_image(frames()[0], 0).shape[:2]
        assert low[0] <= height <= high[0] and low[1] <= width <= high[1]


def test_resize_after_a_crop_works_on_the_cropped_size():
    drawn = ClipAugmentation((30,), 1000, crop=("absolute", (10, 20))).draw(40, 60, 1, rng())
    assert drawn.apply_image(frames()[0], 0).shape[:2] == (30, 60)


def test_same_seed_same_draw_without_touching_global_state():
    before = np.random.get_state()[1].copy()
    augmentation = ClipAugmentation((20, 24), 50, color_jitter=True, crop=("relative_range", (0.5, 0.5)))
    first, second = (augmentation.draw(40, 60, 2, rng(9)) for _ in range(2))
    image = frames()[0]
    assert np.array_equal(first.apply_image(image, 1), second.apply_image(image, 1))
    assert np.array_equal(np.random.get_state()[1], before)
    assert isinstance(first.geometry, T.TransformList)


@pytest.mark.parametrize(("options", "key"), [
    ({"min_size_sampling": "any"}, "INPUT.MIN_SIZE_TRAIN_SAMPLING"),
    ({"min_size_sampling": "range"}, "INPUT.MIN_SIZE_TRAIN "),
    ({"flip": "both"}, "INPUT.RANDOM_FLIP"),
    ({"crop": ("round", (1, 1))}, "INPUT.CROP.TYPE"),
])
def test_unknown_options_name_their_key(options, key):
    with pytest.raises(ValueError, match=key):
        ClipAugmentation((20,), 50, **options)
