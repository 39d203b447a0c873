"""Depth-wise cross-correlation of search maps with templates.

Letters: N templates, B search maps, C channels, H x W a search map, h x w a template.

Siamese trackers slide the feature of an object over the feature map of a frame, channel by channel (SiamRPN++, section
3.3; CompFeat, correlation tracking module). The usual way, a convolution with N * C groups, copies a frame once for
each object; here one map serves all of its templates.
"""

import torch

from vis_projects.layers.image_index import check_entries, check_image_index
from vis_projects.layers.native import has_native, register_autocast, run_op

OP = "depthwise_xcorr"


def depthwise_xcorr(
    search: torch.Tensor, template: torch.Tensor, padding: int = 0, image_index: torch.Tensor | None = None
) -> torch.Tensor:
    """Correlates each template with its search map, channel by channel.

    `out[n, c, y, x] = sum over r, s of template[n, c, r, s] * search[b, c, y + r - padding, x + s - padding]`, zero
    outside of the map, without turning the template and without normalisation: `conv2d` with one group per channel.
    b is 0 where there is one search map, n where there are N, and `image_index[n]` where that is given.

    Sums are float32 for float32, bfloat16 and float16, float64 for float64, in a fixed order: the same input gives the
    same bits, whatever the number of threads. Inside an autocast region it runs in the autocast dtype. Nothing but the
    inputs is kept for the backward pass. Gradients are of first order only and need finite inputs (the native kernels
    multiply what lies beside a map by zero); the gradient of a map is summed over its templates.

    Args:
        search: (B, C, H, W) floating maps. B is 1 (one map for all templates) or N (a map for each), any number with
            `image_index`.
        template: (N, C, h, w), same dtype and device; any size up to the padded map. N may be 0. Sides of 3, 5 and 7
            are the fast ones.
        padding: rows and columns of zeros around a map, on each side; (h - 1) / 2 keeps its size where h = w is odd.
        image_index: (N,) int64, the search map of each template, for the objects of several frames in one call.

    Returns:
        (N, C, H + 2 * padding - h + 1, W + 2 * padding - w + 1), dtype of the inputs.

    Raises:
        ValueError: shapes, dtypes or devices do not fit, or a template is larger than the padded map.
        RuntimeError: an entry of `image_index` is not in [0, B), on the CPU; on CUDA it stops the kernel.
    """
    _check(search, template, padding, image_index)
    return run_op(OP, depthwise_xcorr_reference, search, template, padding, image_index)


def depthwise_xcorr_reference(
    search: torch.Tensor, template: torch.Tensor, padding: int = 0, image_index: torch.Tensor | None = None
) -> torch.Tensor:
    """`depthwise_xcorr` as h * w shifted products on plain torch ops, at least in float32."""
    dtype = search.dtype
    if dtype.itemsize < 4:
        search, template = search.float(), template.float()
    maps = torch.nn.functional.pad(search, (padding,) * 4)
    if image_index is not None:
        check_entries(OP, image_index, len(search), "search maps")
        maps = maps[image_index]
    rows, columns = template.shape[2:]
    height, width = maps.shape[2] - rows + 1, maps.shape[3] - columns + 1
    out = torch.zeros((), dtype=maps.dtype, device=maps.device)
    for r in range(rows):
        for s in range(columns):
            out = out + template[:, :, r, s, None, None] * maps[:, :, r : r + height, s : s + width]
    return out.to(dtype)


def _check(search: torch.Tensor, template: torch.Tensor, padding: int, image_index: torch.Tensor | None) -> None:
    if search.dim() != 4 or template.dim() != 4:
        raise ValueError(f"{OP} needs search (B, C, H, W) and template (N, C, h, w), got {tuple(search.shape)} "
                         f"and {tuple(template.shape)}")
    if search.dtype != template.dtype and not torch.is_autocast_enabled(search.device.type):
        raise ValueError(f"{OP}: search is {search.dtype}, template {template.dtype}; cast one of them")
    if not search.is_floating_point():
        raise ValueError(f"{OP} needs floating tensors, got {search.dtype}")
    if search.device != template.device:
        raise ValueError(f"{OP}: search is on {search.device}, template on {template.device}; move one of them")
    if search.shape[1] != template.shape[1]:
        raise ValueError(f"{OP}: search has {search.shape[1]} channels, template {template.shape[1]}; make them equal")
    if padding < 0:
        raise ValueError(f"{OP}: padding must be 0 or more, got {padding}")
    for size, room in zip(template.shape[2:], search.shape[2:]):
        if not 1 <= size <= room + 2 * padding:
            raise ValueError(f"{OP}: template {tuple(template.shape[2:])} does not fit into the search map "
                             f"{tuple(search.shape[2:])} with padding {padding}; raise padding or crop the template")
    check_image_index(OP, image_index, search, "search", "map", template.shape[0], "templates")


def _keep_inputs(ctx, inputs, output) -> None:
    search, template, ctx.padding, image_index = inputs
    ctx.save_for_backward(search, template, image_index)


def _backward(ctx, grad: torch.Tensor) -> tuple:
    search, template, image_index = ctx.saved_tensors
    wanted = ctx.needs_input_grad[:2]
    grads = torch.ops.vis_projects.depthwise_xcorr_backward(grad, search, template, ctx.padding, image_index, *wanted)
    return *(g if want else None for g, want in zip(grads, wanted)), None, None


def _register() -> None:
    @torch.library.register_fake(f"vis_projects::{OP}")
    def _(search, template, padding=0, image_index=None):
        count, channels, rows, columns = template.shape
        height, width = (size + 2 * padding for size in search.shape[2:])
        return template.new_empty(count, channels, height - rows + 1, width - columns + 1)

    @torch.library.register_fake(f"vis_projects::{OP}_backward")
    def _(grad, search, template, padding, image_index, need_search, need_template):
        wanted = ((search, need_search), (template, need_template))
        return tuple(x.new_empty(x.shape if need else (0,)) for x, need in wanted)

    torch.library.register_autograd(f"vis_projects::{OP}", _backward, setup_context=_keep_inputs)
    register_autocast(OP)


if has_native(OP):
    _register()
