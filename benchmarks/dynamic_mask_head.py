"""Jobs of the dynamic mask head: masks of the instances of one frame, 8 channels at stride 8.

A name gives the number of instances and the size of the mask features: 48x80 is a padded input of 384 x 640, 90x160 one
of 720 x 1280.
"""

import torch
from torch.nn import functional as F

from benchmarks.harness import BenchCase
from vis_projects.layers import dynamic_mask_head, mask_head_params

CHANNELS, HIDDEN, STRIDE = 8, 8, 8
SIZES = ((10, 48, 80), (50, 48, 80), (100, 48, 80), (50, 90, 160), (100, 90, 160), (500, 48, 80))
# products of one pixel of one instance: three layers; computed again but for the last one, gradients of the weights, of
# both hidden layers and of the features
FORWARD_PRODUCTS = 80 + 64 + 8
BACKWARD_PRODUCTS = (80 + 64) + (80 + 64 + 8) + (8 + 64) + 64


def cases(device: str, dtype: torch.dtype) -> list[BenchCase]:
    """One case for each entry of `SIZES`."""
    return [_case(count, height, width, device, dtype) for count, height, width in SIZES]


def _case(count: int, height: int, width: int, device: str, dtype: torch.dtype) -> BenchCase:
    def make() -> tuple:
        generator = torch.Generator().manual_seed(0)
        feats = torch.randn(1, CHANNELS, height, width, generator=generator).to(device, dtype)
        params = (0.3 * torch.randn(count, mask_head_params(CHANNELS), generator=generator)).to(device, dtype)
        places = torch.rand(count, 2, generator=generator) * torch.tensor([width, height])
        locations = (STRIDE * places.floor() + STRIDE // 2).to(device)
        soi = (64.0 * 2 ** torch.randint(0, 5, (count,), generator=generator)).to(device)
        return feats, params, locations, soi, STRIDE, torch.zeros(count, dtype=torch.int64, device=device)

    out, inputs = count * height * width, CHANNELS * height * width + count * mask_head_params(CHANNELS)
    gflop, megabyte = 2e-9 * out, dtype.itemsize / 1e6
    contenders = {"ours": dynamic_mask_head, "grouped conv": grouped_convolutions, "AdelaiDet style": condinst_head,
                  "bmm": batched_products}
    return BenchCase(
        f"n{count} {height}x{width}", make, contenders, gflop * FORWARD_PRODUCTS, 0.0, (inputs + out) * megabyte,
        # backward: the gradient and the inputs are read, the gradients of the inputs written
        gflop * (FORWARD_PRODUCTS + BACKWARD_PRODUCTS), 0.0, (3 * inputs + 2 * out) * megabyte, differentiable=(0, 1),
    )


def batched_products(feats, params, locations, soi, stride, im_inds) -> torch.Tensor:
    """The best that plain PyTorch does: one batched product for each layer."""
    hidden = _inputs(feats, locations, soi, stride, im_inds)
    (weight1, weight2, weight3), biases = _layers(params)
    for weight, bias in ((weight1, biases[0]), (weight2, biases[1])):
        hidden = torch.baddbmm(bias[:, :, None], weight, hidden).relu_()
    return torch.baddbmm(biases[2][:, :, None], weight3, hidden).unflatten(2, feats.shape[2:])


def grouped_convolutions(feats, params, locations, soi, stride, im_inds) -> torch.Tensor:
    """Three convolutions with a group for each instance."""
    hidden = _inputs(feats, locations, soi, stride, im_inds)
    return _convolve(hidden.reshape(1, -1, *feats.shape[2:]), params)


def condinst_head(feats, params, locations, soi, stride, im_inds) -> torch.Tensor:
    """The same, as CondInst's code goes about it: pairs of coordinates for each pixel of each instance, then turned."""
    height, width = feats.shape[2:]
    y, x = torch.meshgrid(
        torch.arange(0, height * stride, stride, dtype=torch.float32, device=feats.device),
        torch.arange(0, width * stride, stride, dtype=torch.float32, device=feats.device), indexing="ij",
    )
    centres = torch.stack([x.reshape(-1), y.reshape(-1)], dim=1) + stride // 2
    rel = (locations.reshape(-1, 1, 2) - centres.reshape(1, -1, 2)).permute(0, 2, 1).float()
    rel = rel / soi.float().reshape(-1, 1, 1)
    inputs = torch.cat([rel.to(feats.dtype), feats[im_inds].reshape(len(params), CHANNELS, height * width)], dim=1)
    return _convolve(inputs.reshape(1, -1, height, width), params)


def _inputs(feats, locations, soi, stride, im_inds) -> torch.Tensor:
    """(N, 2 + C, H * W): relative coordinates, each axis made for its own pixels, and the features of each instance."""
    height, width = feats.shape[2:]
    x, y = (torch.arange(size, device=feats.device) * stride + stride // 2 for size in (width, height))
    rel_x = ((locations[:, :1] - x) / soi[:, None]).to(feats.dtype)[:, None, None, :].expand(-1, 1, height, -1)
    rel_y = ((locations[:, 1:] - y) / soi[:, None]).to(feats.dtype)[:, None, :, None].expand(-1, 1, -1, width)
    return torch.cat([rel_x, rel_y, feats[im_inds]], dim=1).flatten(2)


def _layers(params: torch.Tensor) -> tuple[tuple[torch.Tensor, ...], tuple[torch.Tensor, ...]]:
    """Weights (N, outputs, inputs) and biases (N, outputs) of the three layers."""
    inputs = (CHANNELS + 2, HIDDEN, HIDDEN)
    outputs = (HIDDEN, HIDDEN, 1)
    parts = params.split([a * b for a, b in zip(inputs, outputs)] + list(outputs), dim=1)
    return tuple(part.unflatten(1, (b, a)) for part, a, b in zip(parts[:3], inputs, outputs)), parts[3:]


def _convolve(hidden: torch.Tensor, params: torch.Tensor) -> torch.Tensor:
    """Three layers on (1, N * inputs, H, W) as grouped convolutions."""
    count = len(params)
    weights, biases = _layers(params)
    for layer, (weight, bias) in enumerate(zip(weights, biases)):
        kernel = weight.reshape(-1, weight.shape[2], 1, 1)
        hidden = F.conv2d(hidden, kernel, bias.reshape(-1), groups=count)
        if layer < 2:
            hidden = hidden.relu_()
    return hidden.reshape(count, 1, *hidden.shape[2:])
