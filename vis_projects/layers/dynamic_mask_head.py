"""Dynamic mask head of CondInst and CrossVIS: a small network of its own for each instance.

Letters: B images, N instances, C channels of the mask features, H x W their size, P parameters of an instance.

M = H([O; F]; theta) (CrossVIS, section 3.1): the filters theta that the controller made at an instance's location run
over the mask features F and the coordinates O relative to a location, as three 1x1 convolutions of 8, 8 and 1 outputs
with a ReLU behind the first two. Crossover learning (equations 6 and 7) is the same call: filters of one frame with the
features and the location of another.
"""

import torch

from vis_projects.layers.native import has_native, register_autocast, run_op

OP = "dynamic_mask_head"
HIDDEN = 8  # outputs of the first and of the second layer
MAX_CHANNELS = 64


def mask_head_params(channels: int = 8, rel_coords: bool = True) -> int:
    """Parameters of one instance for so many channels of mask features: 169 for 8 with relative coordinates."""
    inputs = channels + (2 if rel_coords else 0)
    return HIDDEN * inputs + HIDDEN * HIDDEN + HIDDEN + HIDDEN + HIDDEN + 1


def dynamic_mask_head(
    mask_feats: torch.Tensor,
    params: torch.Tensor,
    locations: torch.Tensor | None,
    soi: torch.Tensor | None,
    stride: int,
    im_inds: torch.Tensor,
) -> torch.Tensor:
    """Mask logits of instances: each runs its own three layers over the mask features of its image.

    The inputs of the first layer are the relative coordinates x and y, `(locations[n] - centre) / soi[n]` where pixel
    (i, j) has its centre at image position (stride * j + stride // 2, stride * i + stride // 2), and then the channels.
    Neither they nor the hidden layers are ever in memory as maps: the backward pass computes them again and keeps
    nothing but the inputs.

    Sums are float32 for float32, bfloat16 and float16, float64 for float64, in an order that does not depend on the
    number of threads: the same input gives the same bits. `mask_feats` and `params` get gradients, of first order only;
    `locations` and `soi` get none. Inside an autocast region `mask_feats` and `params` go to the autocast dtype, the
    coordinates keep their precision.

    Args:
        mask_feats: (B, C, H, W) floating, 1 <= C <= 64; C = 8 with coordinates is the fast case.
        params: (N, P) of the same dtype, P = `mask_head_params(C)`: weights of the first layer (8 x (2 + C), one output
            after the other), second (8 x 8), third (8), then the biases in the same order. N may be 0.
        locations: (N, 2) real, x and y of each instance in pixels of the network's input image; None for a head
            without relative coordinates, whose P is `mask_head_params(C, rel_coords=False)`.
        soi: (N,) real, not 0: size of interest of each instance, the pixels that are one unit of its coordinates (64 to
            1024, by the level of its location); None where `locations` is.
        stride: image pixels from one place of `mask_feats` to the next.
        im_inds: (N,) int64, image of each instance, in any order.

    Returns:
        (N, 1, H, W) logits, dtype of the inputs.

    Raises:
        ValueError: shapes, dtypes or devices do not fit.
        RuntimeError: an entry of `im_inds` is not in [0, B), on the CPU; on CUDA it stops the kernel.
    """
    _check(mask_feats, params, locations, soi, stride, im_inds)
    if locations is not None and torch.is_autocast_enabled(mask_feats.device.type):
        # float64 is what autocast leaves alone; bfloat16 has no place for the pixels of a wide image
        locations, soi = locations.double(), soi.double()
    return run_op(OP, dynamic_mask_head_reference, mask_feats, params, locations, soi, stride, im_inds)


def dynamic_mask_head_reference(
    mask_feats: torch.Tensor,
    params: torch.Tensor,
    locations: torch.Tensor | None,
    soi: torch.Tensor | None,
    stride: int,
    im_inds: torch.Tensor,
) -> torch.Tensor:
    """`dynamic_mask_head` as three batched matrix products on plain torch ops, at least in float32."""
    dtype = mask_feats.dtype
    if dtype.itemsize < 4:
        mask_feats, params = mask_feats.float(), params.float()
    outside = (im_inds < 0) | (im_inds >= len(mask_feats))
    if outside.any():
        raise RuntimeError(f"{OP}: im_inds has {im_inds[outside][0].item()}, but mask_feats has {len(mask_feats)} "
                           "images")
    height, width = mask_feats.shape[2:]
    hidden = mask_feats.flatten(2)[im_inds]
    if locations is not None:
        coordinates = _relative_coordinates(locations.to(hidden), soi.to(hidden), stride, height, width)
        hidden = torch.cat([coordinates, hidden], dim=1)
    outputs = (HIDDEN, HIDDEN, 1)
    parts = params.split([HIDDEN * hidden.shape[1], HIDDEN * HIDDEN, HIDDEN, *outputs], dim=1)
    for layer, (count, weight, bias) in enumerate(zip(outputs, parts[:3], parts[3:])):
        hidden = torch.bmm(weight.unflatten(1, (count, hidden.shape[1])), hidden) + bias[:, :, None]
        if layer < 2:
            hidden = hidden.relu()
    return hidden.unflatten(2, (height, width)).to(dtype)


def _relative_coordinates(
    locations: torch.Tensor, soi: torch.Tensor, stride: int, height: int, width: int
) -> torch.Tensor:
    """(N, 2, H * W) x and y."""
    x, y = (stride * torch.arange(size, device=locations.device) + stride // 2 for size in (width, height))
    centres = torch.stack([x.repeat(height), y.repeat_interleave(width)])
    return (locations.detach()[:, :, None] - centres) / soi.detach()[:, None, None]


def _check(
    mask_feats: torch.Tensor,
    params: torch.Tensor,
    locations: torch.Tensor | None,
    soi: torch.Tensor | None,
    stride: int,
    im_inds: torch.Tensor,
) -> None:
    if mask_feats.dim() != 4 or params.dim() != 2:
        raise ValueError(f"{OP} needs mask_feats (B, C, H, W) and params (N, P), got {tuple(mask_feats.shape)} and "
                         f"{tuple(params.shape)}")
    if mask_feats.dtype != params.dtype and not torch.is_autocast_enabled(mask_feats.device.type):
        raise ValueError(f"{OP}: mask_feats is {mask_feats.dtype}, params {params.dtype}; cast one of them")
    if not (mask_feats.is_floating_point() and params.is_floating_point()):
        raise ValueError(f"{OP} needs floating mask_feats and params, got {mask_feats.dtype} and {params.dtype}")
    if (locations is None) != (soi is None):
        raise ValueError(f"{OP}: give both locations and soi, or neither for a head without relative coordinates")
    channels, count = mask_feats.shape[1], params.shape[0]
    if not 1 <= channels <= MAX_CHANNELS:
        raise ValueError(f"{OP}: mask_feats has {channels} channels; 1 to {MAX_CHANNELS} work")
    wanted = mask_head_params(channels, locations is not None)
    if params.shape[1] != wanted:
        raise ValueError(f"{OP}: params has {params.shape[1]} columns, a head for {channels} channels "
                         f"{'without' if locations is None else 'with'} relative coordinates has {wanted}")
    if stride < 1:
        raise ValueError(f"{OP}: stride must be 1 or more, got {stride}")
    if im_inds.shape != (count,) or im_inds.dtype != torch.int64:
        raise ValueError(f"{OP}: im_inds must be int64 with one entry for each of the {count} instances, got "
                         f"{im_inds.dtype} {tuple(im_inds.shape)}")
    if locations is not None:
        for name, tensor, shape in (("locations", locations, (count, 2)), ("soi", soi, (count,))):
            if tuple(tensor.shape) != shape or tensor.is_complex():
                raise ValueError(f"{OP}: {name} must be {shape} real numbers, got {tensor.dtype} {tuple(tensor.shape)}")
    for name, tensor in (("params", params), ("im_inds", im_inds), ("locations", locations), ("soi", soi)):
        if tensor is not None and tensor.device != mask_feats.device:
            raise ValueError(f"{OP}: mask_feats is on {mask_feats.device}, {name} on {tensor.device}; move one of them")


def _keep_inputs(ctx, inputs, output) -> None:
    mask_feats, params, locations, soi, ctx.stride, im_inds = inputs
    ctx.save_for_backward(mask_feats, params, locations, soi, im_inds)


def _backward(ctx, grad: torch.Tensor) -> tuple:
    mask_feats, params, locations, soi, im_inds = ctx.saved_tensors
    wanted = ctx.needs_input_grad[:2]
    grads = torch.ops.vis_projects.dynamic_mask_head_backward(
        grad, mask_feats, params, locations, soi, ctx.stride, im_inds, *wanted
    )
    return *(g if want else None for g, want in zip(grads, wanted)), None, None, None, None


def _register() -> None:
    @torch.library.register_fake(f"vis_projects::{OP}")
    def _(mask_feats, params, locations, soi, stride, im_inds):
        return mask_feats.new_empty(params.shape[0], 1, *mask_feats.shape[2:])

    @torch.library.register_fake(f"vis_projects::{OP}_backward")
    def _(grad, mask_feats, params, locations, soi, stride, im_inds, need_mask_feats, need_params):
        wanted = ((mask_feats, need_mask_feats), (params, need_params))
        return tuple(x.new_empty(x.shape if need else (0,)) for x, need in wanted)

    torch.library.register_autograd(f"vis_projects::{OP}", _backward, setup_context=_keep_inputs)
    register_autocast(OP)


if has_native(OP):
    _register()
