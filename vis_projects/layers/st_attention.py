"""Attention of the positions of a map to all positions of other frames (spatial-temporal attention).

Letters: B query maps, S key sets (one for each video or image), T frames, d channels of queries and keys, dv channels
of values, H x W a query map, H' x W' a frame of keys.

Weights of the temporal attention of CompFeat (equation 1): the similarity of a position of the current frame with a
position of a support frame is the dot product of their key features, not scaled, and the softmax runs over all
T * H' * W' positions of the support frames at once. The same op serves the object level, where the query maps are the
RoI features of proposals and all proposals of an image share the keys of its support frames.
"""

from collections.abc import Sequence

import torch

from vis_projects.layers.image_index import check_entries, check_image_index
from vis_projects.layers.native import has_native, register_autocast, run_op

OP = "st_attention"


def st_attention(
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    scale: float = 1.0,
    image_index: torch.Tensor | None = None,
) -> torch.Tensor:
    """Mean of the values of all frames for each position of each query map, weighted by softmax of its dot products.

    `out[b, :, y, x] = sum over t, i, j of w[t, i, j] * value[s, t, :, i, j]` with
    `w = softmax over (t, i, j) of scale * dot(query[b, :, y, x], key[s, t, :, i, j])`. s is 0 where there is one key
    set, b where there are B, and `image_index[b]` where that is given. One set serves all its query maps without being
    copied. The order of frames does not matter, so a ring of frames needs no turning (see `SupportCache`).

    The (H * W) x (T * H' * W') matrix is never in memory, forward or backward; the backward pass keeps the inputs, the
    output and a number for each query. Logits, softmax and sums are float32 for float32, bfloat16 and float16, float64
    for float64, with the largest logit taken off, so large logits neither overflow nor lose more than float32 does. The
    order of sums is fixed: the same input gives the same bits, whatever the number of threads. Gradients are of first
    order only. Inside an autocast region it runs in the autocast dtype.

    Tensors whose H x W (H' x W') maps are dense in memory are read where they are, whatever their other strides:
    leading frames of a longer buffer, or a buffer with frames behind channels. On the CPU this holds for float32 and
    float64; half types are copied to float32.

    Args:
        query: (B, d, H, W) floating maps; B may be 0.
        key: (S, T, d, H', W') of the same dtype and device, with T * H' * W' >= 1. S is 1 (all query maps share it) or
            B (a set for each), any number with `image_index`.
        value: (S, T, dv, H', W') alike; dv may differ from d.
        scale: factor on the dot products; CompFeat uses none, scaled dot-product attention 1 / sqrt(d).
        image_index: (B,) int64, the key set of each query map, for the proposals of several images in one call.

    Returns:
        (B, dv, H, W), dtype of the inputs.

    Raises:
        ValueError: shapes, dtypes or devices do not fit, or there is no position to attend to.
        RuntimeError: an entry of `image_index` is not in [0, S), on the CPU; on CUDA it stops the kernel.
    """
    _check(query, key, value, image_index)
    return run_op(OP, _reference_as_op, query, key, value, scale, image_index)[0]


def st_attention_reference(
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    scale: float = 1.0,
    image_index: torch.Tensor | None = None,
) -> torch.Tensor:
    """`st_attention` with the whole matrix in memory, on plain torch ops, at least in float32."""
    dtype = query.dtype
    if dtype.itemsize < 4:
        query, key, value = query.float(), key.float(), value.float()
    keys, values = (x.transpose(1, 2).flatten(2) for x in (key, value))  # (S, channels, T * H' * W')
    if image_index is not None:
        check_entries(OP, image_index, len(key), "key sets")
        keys, values = keys[image_index], values[image_index]
    weights = (scale * (query.flatten(2).transpose(1, 2) @ keys)).softmax(-1)  # (B, H * W, T * H' * W')
    out = (weights @ values.transpose(1, 2)).transpose(1, 2)
    return out.unflatten(2, query.shape[2:]).to(dtype)


def _reference_as_op(*args) -> tuple[torch.Tensor]:
    return (st_attention_reference(*args),)  # the op has a second output, which its backward pass starts from


class SupportCache:
    """Keys and values of frames of a video, projected once for each frame: `frames` slots, as a ring or chosen.

    It belongs to whoever runs the video, one for each video (or batch of videos), and never grows. `append` makes it a
    ring of the latest frames; with `put` the caller says which slot a frame goes to. `keys` and `values` are views of
    the slots in use, which `st_attention` reads in place: the first frames of a video, when fewer than `frames` are
    there, need no special case. Frames stand in the order of slots, not of time; attention does not mind.

    It holds no graph: what is appended is detached, so it serves inference (training stacks the frames of its sample).
    A later append writes over the oldest frame, also in views taken before.

    Attributes:
        frames: number of slots.
    """

    def __init__(self, frames: int):
        """
        Args:
            frames: frames to keep, 1 or more.

        Raises:
            ValueError: fewer than one.
        """
        if frames < 1:
            raise ValueError(f"SupportCache: frames must be 1 or more, got {frames}")
        self.frames = frames
        self._buffers: list[torch.Tensor] = []
        self._appended = 0
        self._used = 0

    def __len__(self) -> int:
        """Slots in use: those up to the highest one that was written."""
        return self._used

    @property
    def nbytes(self) -> int:
        """Bytes of all slots."""
        return sum(buffer.nbytes for buffer in self._buffers)

    @property
    def keys(self) -> torch.Tensor:
        """(B, len(self), d, H', W'), a view. Raises ValueError where nothing was appended."""
        return self._view(0)

    @property
    def values(self) -> torch.Tensor:
        """(B, len(self), dv, H', W'), a view. Raises ValueError where nothing was appended."""
        return self._view(1)

    def append(self, key: torch.Tensor, value: torch.Tensor) -> None:
        """Stores a frame in the place of the oldest one.

        Args:
            key: (B, d, H', W'). The first frame settles shape, dtype and device.
            value: (B, dv, H', W').

        Raises:
            ValueError: shape, dtype or device differ from those of the first frame.
        """
        self.put(self._appended % self.frames, key, value)
        self._appended += 1

    def put(self, slot: int, key: torch.Tensor, value: torch.Tensor) -> None:
        """Stores a frame in a slot of the caller's choice.

        Args:
            slot: in [0, frames); what is there is written over.
            key, value: as of `append`.

        Raises:
            ValueError: as of `append`, or there is no such slot.
        """
        if not 0 <= slot < self.frames:
            raise ValueError(f"SupportCache: slot {slot} of {self.frames} does not exist; raise `frames`")
        if not self._buffers:
            self._buffers = [x.new_empty(len(x), self.frames, *x.shape[1:]) for x in (key.detach(), value.detach())]
        for name, buffer, frame in zip(("key", "value"), self._buffers, (key, value)):
            held = buffer[:, 0]
            if (held.shape, held.dtype, held.device) != (frame.shape, frame.dtype, frame.device):
                raise ValueError(
                    f"SupportCache: {name} is {tuple(frame.shape)} {frame.dtype} on {frame.device}, the frames before "
                    f"are {tuple(held.shape)} {held.dtype} on {held.device}; take a new cache for each video")
        for buffer, frame in zip(self._buffers, (key, value)):
            buffer[:, slot].copy_(frame.detach())
        self._used = max(self._used, slot + 1)

    def take(self, slots: Sequence[int]) -> tuple[torch.Tensor, torch.Tensor]:
        """Keys and values of chosen slots, (B, len(slots), channels, H', W') each, in ascending order of slots.

        Views where the slots are 0, 1, ..., each once; copies elsewhere. A slot may be taken several times.

        Raises:
            ValueError: a slot that is not in use, or none at all.
        """
        chosen = sorted(slots)
        if not chosen or not 0 <= chosen[0] <= chosen[-1] < len(self):
            raise ValueError(f"SupportCache: slots {list(slots)} are asked for, in use are {len(self)}")
        if chosen == list(range(len(chosen))):
            return self._buffers[0][:, : len(chosen)], self._buffers[1][:, : len(chosen)]
        return self._buffers[0][:, chosen], self._buffers[1][:, chosen]

    def _view(self, which: int) -> torch.Tensor:
        if not self._buffers:
            raise ValueError("SupportCache is empty; append a frame first")
        return self._buffers[which][:, : len(self)]


def _check(query: torch.Tensor, key: torch.Tensor, value: torch.Tensor, image_index: torch.Tensor | None) -> None:
    if (query.dim(), key.dim(), value.dim()) != (4, 5, 5):
        raise ValueError(f"{OP} needs query (B, d, H, W), key (S, T, d, H', W') and value (S, T, dv, H', W'), got "
                         f"{tuple(query.shape)}, {tuple(key.shape)} and {tuple(value.shape)}")
    if not (query.dtype == key.dtype == value.dtype) and not torch.is_autocast_enabled(query.device.type):
        raise ValueError(f"{OP}: query is {query.dtype}, key {key.dtype}, value {value.dtype}; cast them to one dtype")
    if not (query.is_floating_point() and key.is_floating_point() and value.is_floating_point()):
        raise ValueError(f"{OP} needs floating tensors, got {query.dtype}, {key.dtype}, {value.dtype}")
    if not query.device == key.device == value.device:
        raise ValueError(f"{OP}: query is on {query.device}, key on {key.device}, value on {value.device}; move them")
    if query.shape[1] != key.shape[2]:
        raise ValueError(f"{OP}: query has {query.shape[1]} channels, key {key.shape[2]}; they must be equal")
    if key.shape[:2] != value.shape[:2] or key.shape[3:] != value.shape[3:]:
        raise ValueError(f"{OP}: key {tuple(key.shape)} and value {tuple(value.shape)} may differ in channels only")
    if query.shape[1] < 1 or value.shape[2] < 1:
        raise ValueError(f"{OP}: query and value need a channel, got {query.shape[1]} and {value.shape[2]}")
    if key.shape[1] * key.shape[3] * key.shape[4] < 1:
        raise ValueError(f"{OP}: key {tuple(key.shape)} has no position to attend to; give one frame or more")
    check_image_index(OP, image_index, key, "key", "set", query.shape[0], "query maps")


def _keep(ctx, inputs, output) -> None:
    query, key, value, ctx.scale, image_index = inputs
    out, log_sum = output
    ctx.mark_non_differentiable(log_sum)
    ctx.save_for_backward(query, key, value, out, log_sum, image_index)


def _backward(ctx, grad: torch.Tensor, _: torch.Tensor) -> tuple:
    *tensors, image_index = ctx.saved_tensors
    wanted = ctx.needs_input_grad[:3]
    grads = torch.ops.vis_projects.st_attention_backward(grad, *tensors, ctx.scale, image_index, *wanted)
    return *(g if want else None for g, want in zip(grads, wanted)), None, None


def _register() -> None:
    @torch.library.register_fake(f"vis_projects::{OP}")
    def _(query, key, value, scale=1.0, image_index=None):
        maps, _, height, width = query.shape
        log_sum_dtype = torch.float64 if query.dtype == torch.float64 else torch.float32
        return (query.new_empty(maps, value.shape[2], height, width),
                query.new_empty(maps, height, width, dtype=log_sum_dtype))

    @torch.library.register_fake(f"vis_projects::{OP}_backward")
    def _(grad, query, key, value, output, log_sum, scale, image_index, *needs):
        return tuple(x.new_empty(x.shape if need else (0,)) for x, need in zip((query, key, value), needs))

    torch.library.register_autograd(f"vis_projects::{OP}", _backward, setup_context=_keep)
    register_autocast(OP)


if has_native(OP):
    _register()
