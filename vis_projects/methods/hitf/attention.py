"""Attention between the instance code and the pixels of frames (eqs. 1 to 4): the part that all layers share.

Letters: B frames, L slots, S tokens that are attended to, H x W the feature map, C its channels, D width of the code, A
width of the pixels in attention, K and V widths of keys and values over all heads.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

NORMS = ("ln", "bn")
LOGIT_SCALES = ("learned", "sqrt", "none")


def attend(query: Tensor, key: Tensor, value: Tensor, scale: Tensor, mask: Tensor | None = None) -> Tensor:
    """Multi-head attention of tokens: softmax over all S keys at once.

    Two matrix products around a softmax. One of the two sides is a handful of codes, so the weights are few and fit the
    cache, and this measures faster than `scaled_dot_product_attention` and `st_attention` (benchmarks/hitf.py).

    Args:
        query: (B, N, K). key: (B, S, K). value: (B, S, V); S may be 0.
        scale: (heads,) factor on the dot products of each head.
        mask: bool (B, S), False for keys that do not count; None: all count.

    Returns:
        (B, N, V); zeros where no key counts.
    """
    (batch, count, _), keys, heads = query.shape, key.shape[1], scale.shape[0]
    if keys == 0:
        return query.new_zeros(batch, count, value.shape[2])
    query, key, value = (x.view(batch, x.shape[1], heads, -1).transpose(1, 2) for x in (query, key, value))
    logits = (query * scale.view(-1, 1, 1).to(query.dtype)) @ key.transpose(2, 3)
    if mask is not None:
        some = mask.any(dim=1, keepdim=True)
        # a frame without any key attends to all of them for now, so that no softmax is empty
        logits = logits.masked_fill(~(mask | ~some)[:, None, None, :], float("-inf"))
    out = (logits.softmax(dim=-1) @ value).transpose(1, 2).reshape(batch, count, heads * value.shape[3])
    return out if mask is None else torch.where(some[:, :, None], out, 0.0)


class HybridAttention(nn.Module):
    """Updates of a frame's code and pixels by attention to given keys and values.

    An intra-frame layer gives it the frame's own keys, an inter-frame layer those of other frames. Both updates are
    added to their inputs and start at zero.
    """

    def __init__(
        self,
        *,
        channels: int,
        code_dim: int = 256,
        attn_dim: int = 256,
        key_dim: int = 128,
        value_dim: int = 256,
        heads: int = 8,
        ffn_dim: int = 2048,
        norm: str = "ln",
        logit_scale: str = "learned",
        code_update: bool = True,
        pixel_update: bool = True,
        pixel_ffn: bool = False,
    ) -> None:
        """
        Args:
            channels: C.
            code_dim, attn_dim, key_dim, value_dim: D, A, K, V.
            heads: divides K and V.
            ffn_dim: width of the feed-forward networks.
            norm: "ln" or "bn" of tokens.
            logit_scale: "learned" (starts at one over the root of a head's key width), "sqrt" (that, fixed) or "none".
            code_update: c2c & c2p attention.
            pixel_update: p2c attention.
            pixel_ffn: a feed-forward network on the pixels after p2c.

        Raises:
            ValueError: sizes or names that do not fit, with their key.
        """
        super().__init__()
        if key_dim % heads or value_dim % heads:
            raise ValueError(f"MODEL.HITF.HEADS is {heads}; it must divide KEY_DIM {key_dim} and VALUE_DIM {value_dim}")
        if logit_scale not in LOGIT_SCALES:
            raise ValueError(f"MODEL.HITF.LOGIT_SCALE is {logit_scale!r}; choose from {LOGIT_SCALES}")
        self.code_update, self.pixel_update = code_update, pixel_update
        self.reduce = nn.Conv2d(channels, attn_dim, 1, bias=False)
        self.norm_pixel, self.norm_code = token_norm(norm, attn_dim), token_norm(norm, code_dim)
        self.code_key, self.code_value = projection(code_dim, key_dim), projection(code_dim, value_dim)
        start = 1.0 if logit_scale == "none" else (key_dim // heads) ** -0.5
        if code_update:
            self.code_query = projection(code_dim, key_dim)
            self.pixel_key, self.pixel_value = projection(attn_dim, key_dim), projection(attn_dim, value_dim)
            self.code_out = zero_init(nn.Linear(value_dim, code_dim))
            self.code_ffn = FeedForward(code_dim, ffn_dim, norm)
            self.code_scale = _scale(heads, start, logit_scale == "learned")
        if pixel_update:
            self.pixel_query = projection(attn_dim, key_dim)
            self.pixel_out = zero_init(nn.Conv2d(value_dim, channels, 1))
            self.pixel_scale = _scale(heads, start, logit_scale == "learned")
        self.pixel_ffn = FeedForward(channels, ffn_dim, norm) if pixel_update and pixel_ffn else None

    def tokens(self, features: Tensor, code: Tensor) -> tuple[Tensor, Tensor]:
        """Features (B, C, H, W) and code (B, L, D) -> normalised pixels (B, HW, A) and code (B, L, D)."""
        return self.norm_pixel(self.reduce(features).flatten(2).transpose(1, 2)), self.norm_code(code)

    def keys_values(self, pixels: Tensor, code: Tensor) -> tuple[Tensor, Tensor]:
        """Keys and values of tokens: the code's L first, then the pixels where the code attends to them.

        Args:
            pixels: (B, HW, A). code: (B, L, D).

        Returns:
            (B, L + HW, K) and (B, L + HW, V); (B, L, ...) without `code_update`.
        """
        keys, values = self.code_key(code), self.code_value(code)
        if self.code_update:
            keys = torch.cat([keys, self.pixel_key(pixels)], dim=1)
            values = torch.cat([values, self.pixel_value(pixels)], dim=1)
        return keys, values

    def shift(self, pixels: Tensor, code: Tensor) -> tuple[Tensor, Tensor]:
        """What adding these vectors to the tokens adds to `keys_values`, which are linear in them: no bias here."""
        pairs = [(self.code_key, self.code_value, code)]
        if self.code_update:
            pairs.append((self.pixel_key, self.pixel_value, pixels))
        keys = torch.cat([F.linear(x, key.weight) for key, _, x in pairs], dim=1)
        return keys, torch.cat([F.linear(x, value.weight) for _, value, x in pairs], dim=1)

    def update_code(self, code: Tensor, tokens: Tensor, keys: Tensor, values: Tensor, mask: Tensor | None) -> Tensor:
        """c2c & c2p attention (eqs. 1 and 3), then a feed-forward network.

        Args:
            code: (B, L, D) to be updated. tokens: (B, L, D) that ask.
            keys, values: (B, S, K), (B, S, V). mask: of `attend`.
        """
        found = attend(self.code_query(tokens), keys, values, self.code_scale, mask)
        return self.code_ffn(code + self.code_out(found))

    def update_pixels(
        self, features: Tensor, tokens: Tensor, keys: Tensor, values: Tensor, mask: Tensor | None
    ) -> Tensor:
        """p2c attention (eqs. 2 and 4), then ReLU, which leaves the features of a ResNet as they are.

        Args:
            features: (B, C, H, W) to be updated. tokens: (B, HW, A) that ask.
            keys, values: (B, S, K), (B, S, V). mask: of `attend`.
        """
        found = attend(self.pixel_query(tokens), keys, values, self.pixel_scale, mask)
        found = found.transpose(1, 2).unflatten(2, features.shape[-2:])
        features = torch.relu(features + self.pixel_out(found))
        if self.pixel_ffn is None:
            return features
        tokens = self.pixel_ffn(features.flatten(2).transpose(1, 2))
        return torch.relu(tokens.transpose(1, 2).unflatten(2, features.shape[-2:]))


class FeedForward(nn.Module):
    """x + W2 relu(W1 norm(x)), of tokens (B, N, D); the identity at the start."""

    def __init__(self, dim: int, hidden: int, norm: str) -> None:
        super().__init__()
        self.norm = token_norm(norm, dim)
        self.inner, self.outer = nn.Linear(dim, hidden), zero_init(nn.Linear(hidden, dim))

    def forward(self, x: Tensor) -> Tensor:
        return x + self.outer(torch.relu(self.inner(self.norm(x))))


class TokenBatchNorm(nn.BatchNorm1d):
    """Batch norm of the channels of tokens (B, N, D) over all of them."""

    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x.flatten(0, 1)).view_as(x)


def token_norm(kind: str, dim: int) -> nn.Module:
    """The norm of tokens (B, N, dim) of this name.

    Raises:
        ValueError: another name than "ln" and "bn".
    """
    if kind not in NORMS:
        raise ValueError(f"MODEL.HITF.NORM is {kind!r}; choose from {NORMS}")
    return nn.LayerNorm(dim) if kind == "ln" else TokenBatchNorm(dim)


def projection(inputs: int, outputs: int) -> nn.Linear:
    """A linear layer whose outputs have the variance of its inputs, so that scaled dot products start at std 1."""
    layer = nn.Linear(inputs, outputs)
    nn.init.normal_(layer.weight, std=inputs**-0.5)
    nn.init.zeros_(layer.bias)
    return layer


def zero_init(layer: nn.Module) -> nn.Module:
    """Sets weight and bias to zero, so that a residual branch starts as nothing."""
    nn.init.zeros_(layer.weight)
    if layer.bias is not None:
        nn.init.zeros_(layer.bias)
    return layer


def _scale(heads: int, start: float, learned: bool) -> nn.Parameter:
    return nn.Parameter(torch.full((heads,), start), requires_grad=learned)
