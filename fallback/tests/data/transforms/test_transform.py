"""Resizing and rotation, by coordinates worked out by hand."""

import numpy as np
import pytest
from detectron2.data import transforms as T


@pytest.mark.parametrize("dtype", [np.uint8, np.float32])
@pytest.mark.parametrize("shape", [(4, 6), (4, 6, 1), (4, 6, 3)])
def test_resize_keeps_channels_and_type(dtype, shape):
    image = np.full(shape, 7, dtype=dtype)
    resized = T.ResizeTransform(4, 6, 8, 3).apply_image(image)
    assert resized.shape == (8, 3) + shape[2:] and resized.dtype == dtype
    assert np.all(resized == 7)


def test_resize_reads_images_that_run_backwards():
    image = np.arange(24, dtype=np.float32).reshape(4, 6)
    resize = T.ResizeTransform(4, 6, 4, 6)
    assert np.array_equal(resize.apply_image(image[:, ::-1]), image[:, ::-1])


def test_resize_checks_the_size():
    with pytest.raises(AssertionError):
        T.ResizeTransform(4, 6, 8, 3).apply_image(np.zeros((6, 4), np.uint8))


def test_resize_scales_coordinates_and_boxes():
    resize = T.ResizeTransform(10, 20, 5, 60)  # y / 2, x * 3
    assert resize.apply_coords(np.array([[1.0, 2.0]])).tolist() == [[3.0, 1.0]]
    assert resize.apply_box(np.array([[1.0, 2, 3, 4]])).tolist() == [[3.0, 1, 9, 2]]
    assert resize.inverse().apply_coords(np.array([[3.0, 1.0]])).tolist() == [[1.0, 2.0]]


def test_labels_are_resized_without_mixing():
    labels = np.array([[0, 9]], dtype=np.uint8)
    assert T.ResizeTransform(1, 2, 1, 4).apply_segmentation(labels).tolist() == [[0, 0, 9, 9]]


def test_rotation_by_a_quarter():
    # counter-clockwise on the screen: the right edge's middle (20, 5) goes to the top; the output is 10 wide, 20 high
    rotation = T.RotationTransform(10, 20, 90)
    assert (rotation.bound_w, rotation.bound_h) == (10, 20)
    moved = rotation.apply_coords(np.array([[20.0, 5.0], [10.0, 5.0], [0.0, 0.0]]))
    assert moved == pytest.approx(np.array([[5.0, 0.0], [5.0, 10.0], [0.0, 20.0]]), abs=1e-9)


def test_rotation_about_a_point_keeps_the_size():
    rotation = T.RotationTransform(10, 20, 180, expand=False, center=(4, 3))
    assert (rotation.bound_w, rotation.bound_h) == (20, 10)
    # (1, 1) lies (-3, -2) from the point and lands (3, 2) from it
    assert rotation.apply_coords(np.array([[1.0, 1.0]])) == pytest.approx(np.array([[7.0, 5.0]]))
    with pytest.raises(NotImplementedError):
        rotation.inverse()


def test_rotation_and_back():
    rotation = T.RotationTransform(11, 20, 33)
    points = np.array([[1.5, 2.0], [19.0, 10.0]])
    back = rotation.inverse().apply_coords(rotation.apply_coords(points))
    # sizes are whole pixels, so the way back may miss by one
    assert np.abs(back - points).max() <= 1
    assert rotation.apply_coords(np.zeros((0, 2))).shape[0] == 0


def test_full_turn_changes_nothing():
    image = np.arange(12, dtype=np.uint8).reshape(3, 4)
    rotation = T.RotationTransform(3, 4, 360)
    assert rotation.apply_image(image) is image


def test_rotated_pixels():
    pytest.importorskip("cv2")
    image = np.arange(8, dtype=np.uint8).reshape(2, 4)
    rotation = T.RotationTransform(2, 4, 90)
    # np.rot90 turns counter-clockwise too
    assert np.array_equal(rotation.apply_image(image), np.rot90(image))
    assert np.array_equal(rotation.apply_segmentation(image), np.rot90(image))


def test_fvcore_transforms_are_at_hand():
    assert T.HFlipTransform(10).apply_coords(np.array([[1.0, 2.0]])).tolist() == [[9.0, 2.0]]
    assert len(T.TransformList([T.NoOpTransform(), T.VFlipTransform(3)])) == 2
