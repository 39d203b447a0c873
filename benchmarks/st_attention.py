"""Jobs of the spatial-temporal attention: one frame against its support frames, and proposals against shared frames.

Queries and keys have 64 channels, a quarter of the 256 of a feature pyramid, values too unless the name says otherwise.
P3, P4, P5 are levels of a 360 x 640 image. A name gives the level, the number T of support frames, and the number of
proposals of 7 x 7. The peers get the same channel-first maps; what they do to bring them to the layout they want is
timed with them.
"""

import torch
from torch.nn import functional as F

from benchmarks.harness import BenchCase
from vis_projects.layers import st_attention

CHANNELS, SIDE = 64, 7
LEVELS = {"P3": (45, 80), "P4": (23, 40), "P5": (12, 20)}
FRAMES = (("P5", 2, 64), ("P5", 4, 64), ("P4", 2, 64), ("P4", 4, 64), ("P4", 2, 256), ("P3", 2, 64), ("P3", 4, 64))
OBJECTS = ((100, "P4", 2), (512, "P4", 2), (512, "P3", 2))


def cases(device: str, dtype: torch.dtype) -> list[BenchCase]:
    """One case for each entry of `FRAMES` and `OBJECTS`."""
    frames = [_case(f"{level} T{t}" + (f" Cv {channels}" if channels != CHANNELS else ""), 1, LEVELS[level], level, t,
                    channels, device, dtype) for level, t, channels in FRAMES]
    objects = [_case(f"object P{count} x {level} T{t}", count, (SIDE, SIDE), level, t, CHANNELS, device, dtype)
               for count, level, t in OBJECTS]
    return frames + objects


def _case(name: str, maps: int, size: tuple[int, int], level: str, frames: int, value_channels: int, device: str,
          dtype: torch.dtype) -> BenchCase:
    keys_of = (1, frames, CHANNELS, *LEVELS[level])
    shapes = ((maps, CHANNELS, *size), keys_of, (1, frames, value_channels, *LEVELS[level]))

    def make() -> tuple:
        generator = torch.Generator().manual_seed(0)
        query, key, value = (torch.randn(shape, generator=generator) for shape in shapes)
        # logits of deviation 1, as small initial weights of the projections give them
        return tuple(x.to(device, dtype) for x in (query / CHANNELS**0.5, key, value))

    queries, keys = maps * size[0] * size[1], frames * LEVELS[level][0] * LEVELS[level][1]
    product = 2 * queries * keys / 1e9  # for one channel
    megabytes = (queries + keys) * (CHANNELS + value_channels) * dtype.itemsize / 1e6
    contenders = {"ours": st_attention, "sdpa": sdpa_contiguous, "sdpa views": sdpa_views, "explicit": explicit}
    if maps > 1:
        contenders["sdpa expand"] = sdpa_expanded
    return BenchCase(
        name, make, contenders, product * (CHANNELS + value_channels), queries * keys / 1e9, megabytes,
        # backward: logits again, then one product for the values and one more for their weights, two for queries and
        # keys
        product * (4 * CHANNELS + 3 * value_channels), 2 * queries * keys / 1e9, 3 * megabytes,
        differentiable=(0, 1, 2),
    )


def _tokens(query: torch.Tensor, key: torch.Tensor, value: torch.Tensor) -> tuple[torch.Tensor, ...]:
    """Views (1, tokens, channels) of keys and values, (B, tokens, channels) of the queries."""
    return query.flatten(2).transpose(1, 2), *(x.transpose(1, 2).flatten(2).transpose(1, 2) for x in (key, value))


def _maps(tokens: torch.Tensor, query: torch.Tensor) -> torch.Tensor:
    """(B, tokens, channels) as maps of the size of `query`, a view."""
    return tokens.transpose(1, 2).unflatten(2, query.shape[2:])


def sdpa_contiguous(query: torch.Tensor, key: torch.Tensor, value: torch.Tensor) -> torch.Tensor:
    """`scaled_dot_product_attention` on contiguous tokens, all query maps in one row: what its fast path asks for."""
    q, k, v = _tokens(query, key, value)
    q, k, v = (x.reshape(1, 1, -1, x.shape[-1]).contiguous() for x in (q, k, v))
    out = F.scaled_dot_product_attention(q, k, v, scale=1.0)
    return _maps(out.reshape(len(query), -1, out.shape[-1]), query)


def sdpa_views(query: torch.Tensor, key: torch.Tensor, value: torch.Tensor) -> torch.Tensor:
    """The same given transposed views of the maps."""
    q, k, v = (x.unsqueeze(1) for x in _tokens(query, key, value))
    shape = (len(q), -1, -1, -1)
    return _maps(F.scaled_dot_product_attention(q, k.expand(shape), v.expand(shape), scale=1.0).squeeze(1), query)


def sdpa_expanded(query: torch.Tensor, key: torch.Tensor, value: torch.Tensor) -> torch.Tensor:
    """The same on contiguous tokens, with a head for each query map: keys and values are expanded over the maps."""
    q, k, v = (x.contiguous().unsqueeze(1) for x in _tokens(query, key, value))
    shape = (len(q), -1, -1, -1)
    return _maps(F.scaled_dot_product_attention(q, k.expand(shape), v.expand(shape), scale=1.0).squeeze(1), query)


def explicit(query: torch.Tensor, key: torch.Tensor, value: torch.Tensor) -> torch.Tensor:
    """Matrix product, softmax, matrix product: the whole matrix is in memory."""
    q, k, v = _tokens(query, key, value)
    return _maps((q @ k.transpose(1, 2)).softmax(-1) @ v, query)
