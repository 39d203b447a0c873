"""torch's layers and functions under Detectron2's names, with the few additions that it makes to them."""

import torch
import torch.nn.functional as F

BatchNorm2d = torch.nn.BatchNorm2d
ConvTranspose2d = torch.nn.ConvTranspose2d
Linear = torch.nn.Linear
interpolate = F.interpolate


class Conv2d(torch.nn.Conv2d):
    """``torch.nn.Conv2d`` followed by an optional norm and an optional activation.

    Padding is with zeros; ``padding_mode`` is accepted and ignored.
    """

    def __init__(self, *args, **kwargs):
        """Args:
            norm: module applied to the output, or None (keyword only).
            activation: callable applied last, or None (keyword only).
            The others are those of ``torch.nn.Conv2d``.
        """
        norm, activation = kwargs.pop("norm", None), kwargs.pop("activation", None)
        super().__init__(*args, **kwargs)
        self.norm = norm
        self.activation = activation

    def forward(self, x):
        """Map N x C x H x W to N x C' x H' x W'."""
        if x.numel() == 0 and self.training:
            assert not isinstance(self.norm, torch.nn.SyncBatchNorm), "SyncBatchNorm cannot train on an empty batch"
        x = F.conv2d(x, self.weight, self.bias, self.stride, self.padding, self.dilation, self.groups)
        if self.norm is not None:
            x = self.norm(x)
        return x if self.activation is None else self.activation(x)


def cat(tensors: list[torch.Tensor], dim: int = 0):
    """``torch.cat`` that returns a single element itself, without a copy."""
    assert isinstance(tensors, (list, tuple)), f"expected a list of tensors, got {type(tensors).__name__}"
    return tensors[0] if len(tensors) == 1 else torch.cat(tensors, dim)


def empty_input_loss_func_wrapper(loss_func):
    """Make a loss return a 0 that carries gradients instead of NaN when its target is empty."""

    def loss(input, target, *, reduction="mean", **kwargs):
        if target.numel() == 0 and reduction == "mean":
            return input.sum() * 0.0
        return loss_func(input, target, reduction=reduction, **kwargs)

    return loss


cross_entropy = empty_input_loss_func_wrapper(F.cross_entropy)


def nonzero_tuple(x):
    """Return the indices of the nonzero elements, one vector per dimension (a scalar counts as one element)."""
    return (x if x.dim() else x[None]).nonzero(as_tuple=True)


def shapes_to_tensor(x: list[int], device: torch.device | None = None) -> torch.Tensor:
    """Turn a list of sizes into a vector."""
    return torch.as_tensor(x, device=device)


def move_device_like(src: torch.Tensor, dst: torch.Tensor) -> torch.Tensor:
    """Return ``src`` on the device of ``dst``."""
    return src.to(dst.device)
