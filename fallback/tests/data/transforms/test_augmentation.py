"""The protocol of augmentations."""

import numpy as np
import pytest
from detectron2.data import transforms as T

IMAGE = np.zeros((4, 6, 3), np.uint8)


class Remember(T.Augmentation):
    def __init__(self, first, second=2, *, third="x"):
        self._init(locals())

    def get_transform(self, image, sem_seg):
        self.seen = (image, sem_seg)
        return T.HFlipTransform(image.shape[1])


class Single(T.Augmentation):
    def get_transform(self, anything):
        self.seen = anything
        return T.NoOpTransform()


class AnyInput(T.Augmentation):
    def get_transform(self, image, *others):
        return T.NoOpTransform()


class NoTransform(T.Augmentation):
    def get_transform(self, image):
        return None


def test_arguments_are_taken_by_name():
    labels = np.arange(24).reshape(4, 6)
    aug, inputs = Remember(1), T.AugInput(IMAGE, sem_seg=labels)
    tfm = aug(inputs)
    assert isinstance(tfm, T.HFlipTransform) and aug.input_args == ("image", "sem_seg")
    assert aug.seen[0] is IMAGE and aug.seen[1] is labels
    assert np.array_equal(inputs.sem_seg, labels[:, ::-1])


def test_a_single_argument_is_the_image():
    aug = Single()
    aug(T.AugInput(IMAGE))
    assert aug.seen is IMAGE


def test_missing_and_unnamed_arguments():
    class Bare:
        image = IMAGE

    with pytest.raises(AttributeError):
        Remember(1)(Bare())
    with pytest.raises(TypeError):
        AnyInput()(T.AugInput(IMAGE))
    with pytest.raises(AssertionError):
        NoTransform()(T.AugInput(IMAGE))
    with pytest.raises(NotImplementedError):
        T.Augmentation()(T.AugInput(IMAGE))


def test_input_is_an_image():
    for wrong in ([1], np.zeros(3), np.zeros((1, 2, 3, 4))):
        with pytest.raises(AssertionError):
            T.AugInput(wrong)
    assert T.AugInput(np.zeros((2, 3))).boxes is None


def test_repr_shows_what_differs_from_the_defaults():
    assert repr(Remember(1)) == "Remember(first=1)"
    assert str(Remember(1, second=[3], third="y")) == "Remember(first=1, second=[3], third='y')"
    assert (
        repr(T.AugmentationList([T.NoOpTransform(), Remember(2)]))
        == "AugmentationList[NoOpTransform(), Remember(first=2)]"
    )


def test_list_applies_in_turn_and_tells_what_was_done():
    inputs = T.AugInput(IMAGE, boxes=np.array([[0.0, 0, 2, 4]]))
    done = T.AugmentationList([T.HFlipTransform(6), T.Resize((8, 12))])(inputs)
    assert [type(tfm) for tfm in done.transforms] == [T.HFlipTransform, T.ResizeTransform]
    # x 0..2 of 6 becomes 4..6, then everything doubles
    assert inputs.image.shape == (8, 12, 3) and inputs.boxes.tolist() == [[8, 0, 12, 8]]
    with pytest.raises(AssertionError):
        T.AugmentationList([3])


def test_apply_augmentations_takes_images_and_inputs():
    image, done = T.apply_augmentations([T.Resize(2)], IMAGE)
    assert image.shape == (2, 2, 3) and len(done) == 1
    inputs = T.AugInput(IMAGE)
    same, _ = T.apply_augmentations([T.Resize(2)], inputs)
    assert same is inputs and inputs.image.shape == (2, 2, 3)


def test_older_names():
    assert T.TransformGen is T.Augmentation and T.StandardAugInput is T.AugInput
    assert T.apply_transform_gens is T.apply_augmentations
