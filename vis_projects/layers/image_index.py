"""`image_index` of fused ops: which of a few shared maps each of many users takes."""

import torch


def check_image_index(
    op: str, image_index: torch.Tensor | None, shared: torch.Tensor, name: str, kind: str, count: int, users: str
) -> None:
    """Checks that every user has a map of its own, one for all, or an entry of `image_index`; not yet its values.

    Args:
        op: the op's name, for messages.
        image_index: what was given, (count,) int64 or None.
        shared: first axis: the maps.
        name, kind: what `shared` is called, and one of its maps.
        count, users: how many take a map, and what they are called.

    Raises:
        ValueError: it does not fit; the message says what would.
    """
    if image_index is None:
        if shared.shape[0] not in (1, count):
            raise ValueError(f"{op}: {name} must have 1 {kind} or one for each of the {count} {users}, got "
                             f"{shared.shape[0]}; give image_index for another assignment")
    elif image_index.shape != (count,) or image_index.dtype != torch.int64:
        raise ValueError(f"{op}: image_index must be int64 with one entry for each of the {count} {users}, got "
                         f"{image_index.dtype} {tuple(image_index.shape)}")
    elif image_index.device != shared.device:
        raise ValueError(f"{op}: image_index is on {image_index.device}, {name} on {shared.device}; move one of them")


def check_entries(op: str, image_index: torch.Tensor, count: int, maps: str) -> None:
    """Checks that every entry names one of the `count` `maps`; reads the values, so a GPU is waited for.

    Raises:
        RuntimeError: an entry is outside.
    """
    outside = (image_index < 0) | (image_index >= count)
    if outside.any():
        raise RuntimeError(f"{op}: image_index has {image_index[outside][0].item()}, but there are {count} {maps}")
