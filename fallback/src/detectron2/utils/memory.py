"""Recovery from GPU memory that ran out."""

import functools
import logging

import torch

__all__ = ["retry_if_cuda_oom"]


def retry_if_cuda_oom(func):
    """Make a function survive CUDA out-of-memory errors: retry after emptying the cache, then with inputs on the CPU.

    Only arguments that are themselves tensors (or have ``device`` and ``to``) are moved, so the result of the last
    attempt may lie on the CPU. Other errors, and a third failure, are raised.
    """

    @functools.wraps(func)
    def attempt(*args, **kwargs):
        for prepare in (lambda: None, torch.cuda.empty_cache):
            try:
                prepare()
                return func(*args, **kwargs)
            except RuntimeError as error:
                if "CUDA out of memory. " not in str(error):
                    raise
        logging.getLogger(__name__).info("CUDA memory is short: %s runs on the CPU.", func)
        return func(*map(_to_cpu, args), **{name: _to_cpu(value) for name, value in kwargs.items()})

    return attempt


def _to_cpu(value):
    on_gpu = getattr(getattr(value, "device", None), "type", None) == "cuda"
    return value.to(device="cpu") if on_gpu and hasattr(value, "to") else value
