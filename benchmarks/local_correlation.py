"""Jobs of the local correlation: the P4 and P3 maps of two frames at 384 x 640, 256 channels, 11 x 11 shifts.

The extension that STMask uses takes part where it is installed: pip install spatial-correlation-sampler.
"""

from importlib.util import find_spec

import torch
from torch.nn import functional as F

from benchmarks.harness import BenchCase
from vis_projects.layers import local_correlation

CHANNELS, PATCH = 256, 11
MAPS = (("P4 24x40", 1, 24, 40), ("P4 24x40 batch 4", 4, 24, 40), ("P3 48x80", 1, 48, 80))


def cases(device: str, dtype: torch.dtype) -> list[BenchCase]:
    """One case for each entry of `MAPS`."""
    return [_case(name, count, height, width, device, dtype) for name, count, height, width in MAPS]


def _case(name: str, count: int, height: int, width: int, device: str, dtype: torch.dtype) -> BenchCase:
    def make() -> tuple:
        generator = torch.Generator().manual_seed(0)
        shape = (count, CHANNELS, height, width)
        return tuple(torch.randn(shape, generator=generator).to(device, dtype) for _ in range(2))

    gflop = 2 * count * CHANNELS * _seen(height) * _seen(width) / 1e9
    map_size, out = count * CHANNELS * height * width, count * PATCH**2 * height * width
    contenders = {"ours": _ours, "pad and shift": pad_and_shift, "unfold": unfolded, "volume": volume}
    if find_spec("spatial_correlation_sampler") and dtype == torch.float32:
        contenders["sampler"] = sampler
    megabyte = dtype.itemsize / 1e6
    return BenchCase(
        name, make, contenders, gflop, 0.0, (2 * map_size + out) * megabyte,
        # backward: reads the gradient and the inputs, writes the gradients of the inputs; two more products of the size
        3 * gflop, 0.0, (6 * map_size + 2 * out) * megabyte, differentiable=(0, 1),
    )


def _seen(length: int) -> int:
    """Pairs of a place and a shift along one axis that stay in the map: those are the work."""
    return sum(max(0, length - abs(shift)) for shift in range(-(PATCH // 2), PATCH // 2 + 1))


def _ours(a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
    return local_correlation(a, b, PATCH)


def pad_and_shift(a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
    """One product and sum for each shift of the padded map: the usual way without an extension."""
    padded = F.pad(b, (PATCH // 2,) * 4)
    height, width = a.shape[2:]
    products = [(a * padded[:, :, i : i + height, j : j + width]).sum(1) for i in range(PATCH) for j in range(PATCH)]
    return torch.stack(products, 1)


def unfolded(a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
    """One matrix product for each place with its unfolded surroundings, which take 121 times the memory of the map."""
    count, channels, height, width = a.shape
    around = F.unfold(b, PATCH, padding=PATCH // 2).reshape(count, channels, PATCH**2, height * width)
    return torch.einsum("ncl,ncpl->npl", a.flatten(2), around).reshape(count, PATCH**2, height, width)


def volume(a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
    """The product of all pairs of places, of which the near ones are then picked."""
    count, _, height, width = a.shape
    radius = PATCH // 2
    pairs = torch.bmm(a.flatten(2).transpose(1, 2), b.flatten(2)).reshape(count, height * width, height, width)
    padded = F.pad(pairs, (radius,) * 4).flatten(1)
    # place (y, x) finds its shift (i, j) in its own padded plane at (y + i, x + j)
    stride = width + 2 * radius
    y, x, step = (torch.arange(n, device=a.device) for n in (height, width, PATCH))
    plane = (y[:, None] * width + x) * (height + 2 * radius) * stride
    index = plane + y[:, None] * stride + x + (step[:, None] * stride + step).reshape(-1, 1, 1)
    return padded[:, index.flatten()].reshape(count, PATCH**2, height, width)


def sampler(a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
    """The extension of STMask."""
    from spatial_correlation_sampler import spatial_correlation_sample

    return spatial_correlation_sample(a, b, kernel_size=1, patch_size=PATCH).flatten(1, 2)
