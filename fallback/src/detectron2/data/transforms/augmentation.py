"""Base of augmentations (random choice of a transform), lists of them, and the input that they work on."""

import inspect
import pprint
from typing import Optional, Union

import numpy as np
from fvcore.transforms.transform import Transform, TransformList

__all__ = [
    "Augmentation",
    "AugmentationList",
    "AugInput",
    "TransformGen",
    "apply_transform_gens",
    "StandardAugInput",
    "apply_augmentations",
]


class Augmentation:
    """Chooses a transform, usually at random, from attributes of the input.

    ``get_transform`` names the attributes that it needs by its parameters; a single parameter means "image".
    """

    # Names of the attributes; found from the signature of get_transform at the first call when None.
    input_args: Optional[tuple[str, ...]] = None

    def _init(self, params=None):
        """Store the arguments of a constructor, given as ``locals()``, as attributes."""
        for name, value in (params or {}).items():
            if name != "self" and not name.startswith("_"):
                setattr(self, name, value)

    def get_transform(self, *args) -> Transform:
        """Return the transform for this input; for subclasses to define."""
        raise NotImplementedError(f"{type(self).__name__} does not define get_transform")

    def __call__(self, aug_input) -> Transform:
        """Choose a transform, apply it to the input in place and return it."""
        tfm = self.get_transform(*_arguments_for(self, aug_input))
        assert isinstance(
            tfm, (Transform, TransformList)
        ), f"{type(self)}.get_transform must return a Transform, it returned {type(tfm)}"
        aug_input.transform(tfm)
        return tfm

    def _rand_range(self, low=1.0, high=None, size=None):
        """Draw uniformly from [low, high), or from [0, low) without ``high``; returns a float array of that size."""
        if high is None:
            low, high = 0, low
        return np.random.uniform(low, high, [] if size is None else size)

    def __repr__(self):
        """Show the arguments that differ from their defaults, if they are kept as attributes."""
        shown = []
        for name, param in inspect.signature(self.__init__).parameters.items():
            if param.kind in (param.VAR_POSITIONAL, param.VAR_KEYWORD) or not hasattr(self, name):
                return super().__repr__()
            value = getattr(self, name)
            if value is param.default:
                continue
            text = pprint.pformat(value)
            shown.append(f"{name}={'...' if chr(10) in text else text}")
        return f"{type(self).__name__}({', '.join(shown)})"

    __str__ = __repr__


class _FixedTransform(Augmentation):
    """A transform in the clothes of an augmentation."""

    def __init__(self, tfm: Transform):
        self.tfm = tfm

    def get_transform(self, *args):
        return self.tfm

    def __repr__(self):
        return repr(self.tfm)

    __str__ = __repr__


def _transform_to_aug(tfm_or_aug):
    """Return an augmentation for an augmentation or a transform; AssertionError for anything else."""
    if isinstance(tfm_or_aug, Augmentation):
        return tfm_or_aug
    assert isinstance(
        tfm_or_aug, (Transform, TransformList)
    ), f"an Augmentation or a Transform is needed, not {tfm_or_aug!r}"
    return _FixedTransform(tfm_or_aug)


class AugmentationList(Augmentation):
    """Augmentations one after the other; each sees the input as the ones before left it.

    Args:
        augs: augmentations and transforms.
    """

    def __init__(self, augs):
        self.augs = [_transform_to_aug(aug) for aug in augs]

    def __call__(self, aug_input) -> TransformList:
        return TransformList([aug(aug_input) for aug in self.augs])

    def __repr__(self):
        return f"AugmentationList[{', '.join(map(repr, self.augs))}]"

    __str__ = __repr__


class AugInput:
    """An image with its boxes and label image; augmentations change them together, in place.

    Attributes:
        image: array (H, W) or (H, W, C), uint8 in 0..255 or floats.
        boxes: float array (N, 4), XYXY absolute, or None.
        sem_seg: integer array (H, W), or None.
    """

    def __init__(self, image: np.ndarray, *, boxes: Optional[np.ndarray] = None, sem_seg: Optional[np.ndarray] = None):
        assert isinstance(image, np.ndarray), f"the image must be a numpy array, not {type(image)}"
        assert image.ndim in (2, 3), f"the image must have two or three dimensions, its shape is {image.shape}"
        self.image = image
        self.boxes = boxes
        self.sem_seg = sem_seg

    def transform(self, tfm: Transform) -> None:
        """Apply a transform to all that is there."""
        self.image = tfm.apply_image(self.image)
        if self.boxes is not None:
            self.boxes = tfm.apply_box(self.boxes)
        if self.sem_seg is not None:
            self.sem_seg = tfm.apply_segmentation(self.sem_seg)

    def apply_augmentations(self, augmentations: list[Union[Augmentation, Transform]]) -> TransformList:
        """Apply augmentations in turn; returns the transforms that were chosen."""
        return AugmentationList(augmentations)(self)


def apply_augmentations(augmentations: list[Union[Augmentation, Transform]], inputs):
    """Apply augmentations to an image or an input.

    Args:
        augmentations: augmentations and transforms.
        inputs: image array, or an ``AugInput``.

    Returns:
        (image or input after the augmentations, TransformList of what was applied).
    """
    if not isinstance(inputs, np.ndarray):
        return inputs, inputs.apply_augmentations(augmentations)
    holder = AugInput(inputs)
    applied = holder.apply_augmentations(augmentations)
    return holder.image, applied


def _arguments_for(aug: Augmentation, aug_input) -> list:
    """Read the attributes that get_transform asks for from the input.

    Raises:
        TypeError: get_transform takes *args or **kwargs beside others and the class sets no ``input_args``.
        AttributeError: the input lacks one of the attributes.
    """
    if aug.input_args is None:
        aug.input_args = _parameter_names(aug)
    values = []
    for name in aug.input_args:
        if not hasattr(aug_input, name):
            raise AttributeError(f"{type(aug)}.get_transform needs {name!r}, which {type(aug_input)} does not have")
        values.append(getattr(aug_input, name))
    return values


def _parameter_names(aug: Augmentation) -> tuple[str, ...]:
    params = inspect.signature(aug.get_transform).parameters.values()
    if len(params) == 1:
        return ("image",)
    for param in params:
        if param.kind in (param.VAR_POSITIONAL, param.VAR_KEYWORD):
            raise TypeError(
                f"{type(aug)}.get_transform takes {param}, so its input cannot be told; set `input_args` on the class"
            )
    return tuple(param.name for param in params)


# Older names that plugins still use.
TransformGen = Augmentation
StandardAugInput = AugInput
apply_transform_gens = apply_augmentations
