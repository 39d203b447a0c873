"""Fits the keys of a checkpoint to those of a model by their longest common suffix at a dot."""

import logging

import torch
from tabulate import tabulate

from detectron2.checkpoint._impl.caffe2_names import convert_c2_detectron_names

_LOGGER = "detectron2.checkpoint.c2_model_loading"


def align_and_update_state_dicts(model_state_dict, ckpt_state_dict, c2_conversion=True):
    """Rename checkpoint keys to model keys.

    A checkpoint key fits a model key that is equal to it or ends in "." plus it; the longest fitting one is taken.
    Keys of another shape are left out with a warning; keys that fit nothing pass through under their own name.

    Returns:
        A new dict with the checkpoint's values.

    Raises:
        ValueError: one checkpoint key fits two model keys.
    """
    logger = logging.getLogger(_LOGGER)
    if c2_conversion:
        logger.info("Renaming Caffe2 weights ......")
        ckpt_state_dict, origins = convert_c2_detectron_names(ckpt_state_dict)
    else:
        origins = {key: key for key in ckpt_state_dict}

    result, taken = {}, {}
    for model_key in sorted(model_state_dict):
        ckpt_key = _longest_suffix(model_key, ckpt_state_dict)
        if ckpt_key is None:
            continue
        value, wanted = ckpt_state_dict[ckpt_key], model_state_dict[model_key].shape
        if value.shape != wanted:
            logger.warning(
                "Shape of %s in checkpoint is %s, while shape of %s in model is %s.\n"
                "%s will not be loaded. Please double check and see if this is desired.",
                ckpt_key, value.shape, model_key, wanted, ckpt_key,
            )
            continue
        if ckpt_key in taken:
            logger.error(
                "Ambiguity found for %s in checkpoint!It matches at least two keys in the model (%s and %s).",
                ckpt_key, model_key, taken[ckpt_key],
            )
            raise ValueError("Cannot match one checkpoint key to multiple keys in the model.")
        taken[ckpt_key] = model_key
        result[model_key] = value
    if taken:
        rows = [(model_key, origins[key], tuple(ckpt_state_dict[key].shape)) for key, model_key in taken.items()]
        table = tabulate(sorted(rows), headers=["Names in Model", "Names in Checkpoint", "Shapes"], tablefmt="pipe")
        logger.info("Weights matched with the model - Total num: %d\n%s", len(taken), table)
    else:
        logger.warning("No weights in checkpoint matched with model.")
    result.update({key: value for key, value in ckpt_state_dict.items() if key not in taken})
    return result


def _longest_suffix(model_key: str, candidates) -> str | None:
    """The longest candidate that is the whole of `model_key` or its end behind a dot."""
    start = 0
    while start >= 0:
        suffix = model_key[start:]
        if suffix in candidates:
            return suffix
        dot = model_key.find(".", start)
        start = dot + 1 if dot >= 0 else -1
    return None


def as_tensors(weights) -> dict[str, torch.Tensor]:
    """name -> tensor of a dict of arrays or tensors."""
    return {key: torch.as_tensor(value) for key, value in weights.items()}
