"""Local correlation of two feature maps: how much each place of one looks like the places around it in the other.

Letters: N pairs of maps, C channels, H x W a map, P the patch size.

Optical-flow networks call it the correlation layer (FlowNet, equation 1, with patches of one place). STMask correlates
the P4 maps of two frames so, 11 x 11 shifts, divided by C and with a leaky ReLU of 0.1 (STMask, temporal fusion).
"""

import torch
from torch.nn import functional as F

from vis_projects.layers.native import has_native, register_autocast, run_op

OP = "local_correlation"


def local_correlation(
    a: torch.Tensor,
    b: torch.Tensor,
    patch_size: int,
    dilation: int = 1,
    normalize: bool = False,
    negative_slope: float = 1.0,
) -> torch.Tensor:
    """Products over channels of each place of `a` with the places of `b` around it.

    `out[n, i * P + j, y, x] = sum over c of a[n, c, y, x] * b[n, c, y + (i - r) * dilation, x + (j - r) * dilation]`
    with r = (P - 1) / 2; where the place of `b` lies outside of the map the result is 0. So shifts count row by row,
    the middle channel is the shift (0, 0), and it is `b` that is shifted.

    Sums are float32 for float32, bfloat16 and float16, float64 for float64, in a fixed order: the same input gives the
    same bits, whatever the number of threads. Only the inputs, and the output where there is a slope, are kept for the
    backward pass. Gradients are of first order only. Inside an autocast region it runs in the autocast dtype.

    Args:
        a, b: (N, C, H, W) floating maps, same dtype and device. N may be 0, C is 1 or more.
        patch_size: P, odd: number of shifts along each axis. The patch may be larger than the map.
        dilation: places from one shift to the next.
        normalize: divides the sums by C.
        negative_slope: factor of negative results, after `normalize`, as in a leaky ReLU; 1 leaves them as they are.

    Returns:
        (N, P * P, H, W), dtype of the inputs.

    Raises:
        ValueError: shapes, dtypes or devices do not fit, `patch_size` is even, or a number is out of range.
    """
    _check(a, b, patch_size, dilation, negative_slope)
    return run_op(OP, local_correlation_reference, a, b, patch_size, dilation, normalize, negative_slope)


def local_correlation_reference(
    a: torch.Tensor,
    b: torch.Tensor,
    patch_size: int,
    dilation: int = 1,
    normalize: bool = False,
    negative_slope: float = 1.0,
) -> torch.Tensor:
    """`local_correlation` as P * P products of `a` with a padded, shifted `b` on torch ops, in float32 or more."""
    dtype = a.dtype
    if dtype.itemsize < 4:
        a, b = a.float(), b.float()
    count, channels, height, width = a.shape
    # a shift by more than the map finds nothing, so no more zeros are needed than the map is long
    down, right = (min(patch_size // 2, size // dilation) for size in (height, width))
    padded = F.pad(b, (right * dilation,) * 2 + (down * dilation,) * 2)
    out = a.new_zeros(count, patch_size, patch_size, height, width)
    for i in range(-down, down + 1):
        for j in range(-right, right + 1):
            top, left = (down + i) * dilation, (right + j) * dilation
            shifted = padded[:, :, top : top + height, left : left + width]
            out[:, patch_size // 2 + i, patch_size // 2 + j] = (a * shifted).sum(1)
    out = out.flatten(1, 2)
    if normalize:
        out = out / channels
    if negative_slope != 1:
        out = F.leaky_relu(out, negative_slope)
    return out.to(dtype)


def _check(a: torch.Tensor, b: torch.Tensor, patch_size: int, dilation: int, negative_slope: float) -> None:
    if a.dim() != 4 or a.shape != b.shape:
        raise ValueError(f"{OP} needs a and b of one shape (N, C, H, W), got {tuple(a.shape)} and {tuple(b.shape)}")
    if a.dtype != b.dtype and not torch.is_autocast_enabled(a.device.type):
        raise ValueError(f"{OP}: a is {a.dtype}, b {b.dtype}; cast one of them")
    if not a.is_floating_point() or not b.is_floating_point():
        raise ValueError(f"{OP} needs floating tensors, got {a.dtype} and {b.dtype}")
    if a.device != b.device:
        raise ValueError(f"{OP}: a is on {a.device}, b on {b.device}; move one of them")
    if a.shape[1] < 1:
        raise ValueError(f"{OP} needs a channel or more, got a and b of {tuple(a.shape)}")
    if patch_size < 1 or patch_size % 2 == 0:
        raise ValueError(f"{OP}: patch_size must be odd and 1 or more, got {patch_size}")
    if dilation < 1:
        raise ValueError(f"{OP}: dilation must be 1 or more, got {dilation}")
    if not negative_slope >= 0:
        raise ValueError(f"{OP}: negative_slope must be 0 or more, got {negative_slope}")


def _keep_inputs(ctx, inputs, output) -> None:
    a, b, *ctx.settings = inputs
    ctx.save_for_backward(a, b, output if ctx.settings[-1] != 1 else None)


def _backward(ctx, grad: torch.Tensor) -> tuple:
    a, b, out = ctx.saved_tensors
    wanted = ctx.needs_input_grad[:2]
    grads = torch.ops.vis_projects.local_correlation_backward(grad, a, b, out, *ctx.settings, *wanted)
    return *(g if want else None for g, want in zip(grads, wanted)), None, None, None, None


def _register() -> None:
    @torch.library.register_fake(f"vis_projects::{OP}")
    def _(a, b, patch_size, dilation=1, normalize=False, negative_slope=1.0):
        return a.new_empty(a.shape[0], patch_size * patch_size, *a.shape[2:])

    @torch.library.register_fake(f"vis_projects::{OP}_backward")
    def _(grad, a, b, out, patch_size, dilation, normalize, negative_slope, need_a, need_b):
        return tuple(a.new_empty(a.shape if need else (0,)) for need in (need_a, need_b))

    torch.library.register_autograd(f"vis_projects::{OP}", _backward, setup_context=_keep_inputs)
    register_autocast(OP)


if has_native(OP):
    _register()
