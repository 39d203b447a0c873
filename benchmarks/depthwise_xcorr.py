"""Jobs of the depth-wise cross-correlation: pairs of Siamese trackers, and one frame with the templates of its objects.

All templates are 7 x 7 on 256 channels, without padding. A name gives the number of templates and the size of a map.
"""

import torch
from torch.nn import functional as F

from benchmarks.harness import BenchCase
from vis_projects.layers import depthwise_xcorr

CHANNELS, SIDE = 256, 7
PAIRS = (("siam n1 31x31", 1, 31, 31), ("siam n28 31x31", 28, 31, 31), ("pair n10 23x40", 10, 23, 40))
FRAMES = tuple((f"frame n{n} {h}x{w}", n, h, w) for n, h, w in
               ((10, 23, 40), (30, 23, 40), (10, 45, 80), (20, 45, 80), (30, 45, 80)))


def cases(device: str, dtype: torch.dtype) -> list[BenchCase]:
    """One case for each entry of `PAIRS` and `FRAMES`."""
    pairs = [_case(name, n, n, height, width, device, dtype) for name, n, height, width in PAIRS]
    return pairs + [_case(name, n, 1, height, width, device, dtype) for name, n, height, width in FRAMES]


def _case(name: str, count: int, maps: int, height: int, width: int, device: str, dtype: torch.dtype) -> BenchCase:
    def make() -> tuple:
        generator = torch.Generator().manual_seed(0)
        shapes = ((maps, CHANNELS, height, width), (count, CHANNELS, SIDE, SIDE))
        return tuple(torch.randn(shape, generator=generator).to(device, dtype) for shape in shapes)

    out = count * CHANNELS * (height - SIDE + 1) * (width - SIDE + 1)
    inputs = CHANNELS * (maps * height * width + count * SIDE**2)
    gflop, megabyte = 2 * SIDE**2 * out / 1e9, dtype.itemsize / 1e6
    contenders = {"ours": depthwise_xcorr, "grouped conv": grouped_convolution}
    if maps == 1 and count > 1:
        contenders |= {"shared conv": shared_convolution, "unfold bmm": unfolded_product}
    return BenchCase(
        name, make, contenders, gflop, 0.0, (inputs + out) * megabyte,
        # backward reads the gradient and the inputs and writes the gradients of the inputs, with twice the products
        3 * gflop, 0.0, (3 * inputs + 2 * out) * megabyte, differentiable=(0, 1),
    )


def grouped_convolution(search: torch.Tensor, template: torch.Tensor) -> torch.Tensor:
    """What Siamese trackers do: a convolution with a group for each channel of each template; copies a shared map."""
    count, channels, rows, columns = template.shape
    maps = search.expand(count, -1, -1, -1).reshape(1, count * channels, *search.shape[2:])
    out = F.conv2d(maps, template.reshape(-1, 1, rows, columns), groups=count * channels)
    return out.reshape(count, channels, *out.shape[2:])


def shared_convolution(search: torch.Tensor, template: torch.Tensor) -> torch.Tensor:
    """A convolution with a group for each channel and a filter for each template; comes back transposed in memory."""
    count, channels, rows, columns = template.shape
    out = F.conv2d(search, template.transpose(0, 1).reshape(-1, 1, rows, columns), groups=channels)
    return out.reshape(channels, count, *out.shape[2:]).transpose(0, 1)


def unfolded_product(search: torch.Tensor, template: torch.Tensor) -> torch.Tensor:
    """One matrix product for each channel with the unfolded map; comes back transposed in memory."""
    count, channels, rows, columns = template.shape
    height, width = search.shape[2] - rows + 1, search.shape[3] - columns + 1
    patches = F.unfold(search, (rows, columns)).reshape(channels, rows * columns, height * width)
    out = torch.bmm(template.reshape(count, channels, -1).transpose(0, 1), patches)
    return out.reshape(channels, count, height, width).transpose(0, 1)
