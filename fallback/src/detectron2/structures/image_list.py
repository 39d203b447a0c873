"""``ImageList``: images of different sizes in one padded tensor."""

import torch
import torch.nn.functional as F


class ImageList:
    """N images in one N x C x H x W (or N x H x W) tensor, padded at the right and at the bottom.

    Attributes:
        tensor: the padded batch.
        image_sizes: N pairs (height, width) before padding, in pixels.
    """

    def __init__(self, tensor: torch.Tensor, image_sizes: list[tuple[int, int]]):
        self.tensor = tensor
        self.image_sizes = image_sizes

    def __len__(self) -> int:
        return len(self.image_sizes)

    def __getitem__(self, idx) -> torch.Tensor:
        """Return image ``idx`` without its padding, as a view."""
        height, width = self.image_sizes[idx]
        return self.tensor[idx, ..., :height, :width]

    def to(self, *args, **kwargs) -> "ImageList":
        """Return the batch after ``Tensor.to``."""
        return ImageList(self.tensor.to(*args, **kwargs), self.image_sizes)

    @property
    def device(self) -> torch.device:
        """Device of the batch."""
        return self.tensor.device

    @staticmethod
    def from_tensors(
        tensors: list[torch.Tensor], size_divisibility: int = 0, pad_value: float = 0.0,
        padding_constraints: dict[str, int] | None = None,
    ) -> "ImageList":
        """Pad images to a common size and stack them.

        Args:
            tensors: images of shape (..., H_i, W_i) with equal leading dimensions.
            size_divisibility: common height and width are rounded up to multiples of it, when larger than 1.
            pad_value: value of the padding.
            padding_constraints: ``square_size`` > 0 sets both sides; ``size_divisibility`` replaces the argument.

        Raises:
            AssertionError: no images, not a list, not tensors, or different leading dimensions.
        """
        assert isinstance(tensors, (list, tuple)), f"expected a list of tensors, got {type(tensors).__name__}"
        assert len(tensors) > 0, "expected at least one image"
        for image in tensors:
            assert isinstance(image, torch.Tensor), f"expected tensors, got {type(image).__name__}"
            assert image.shape[:-2] == tensors[0].shape[:-2], (
                f"images differ in their leading dimensions: {tuple(tensors[0].shape)} and {tuple(image.shape)}"
            )
        sizes = [(image.shape[-2], image.shape[-1]) for image in tensors]
        height, width = _padded_size(sizes, size_divisibility, padding_constraints or {})
        if len(tensors) == 1:
            # Negative amounts crop: a square size below the size of the image cuts it.
            padding = (0, width - sizes[0][1], 0, height - sizes[0][0])
            batch = F.pad(tensors[0], padding, value=pad_value)[None]
        else:
            batch = tensors[0].new_full((len(tensors), *tensors[0].shape[:-2], height, width), pad_value)
            for index, (image, (rows, columns)) in enumerate(zip(tensors, sizes)):
                batch[index, ..., :rows, :columns].copy_(image)  # by index: iterating gives views without gradients
        return ImageList(batch.contiguous(), sizes)


def _padded_size(sizes, size_divisibility, constraints):
    square = constraints.get("square_size", 0)
    divisor = constraints.get("size_divisibility", size_divisibility)
    if square > 0:
        height = width = square
    else:
        height, width = max(size[0] for size in sizes), max(size[1] for size in sizes)
    if divisor > 1:
        height, width = -(-height // divisor) * divisor, -(-width // divisor) * divisor
    return height, width
