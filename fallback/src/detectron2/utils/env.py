"""The version of torch, and seeding of every random generator."""

import logging
import os
import random
from datetime import datetime

import numpy as np
import torch

from detectron2._impl.placeholders import placeholder_getattr

__all__ = ["TORCH_VERSION", "fixup_module_metadata", "seed_all_rng"]

TORCH_VERSION = tuple(int(part) for part in torch.__version__.split(".")[:2])

__getattr__ = placeholder_getattr(__name__, ("setup_custom_environment", "setup_environment"))


def seed_all_rng(seed=None):
    """Seed numpy, torch and random, and set PYTHONHASHSEED for processes to come.

    Args:
        seed: int, or None for one made from process id, time and the system's randomness (it is logged).
    """
    if seed is None:
        clock = int(datetime.now().strftime("%S%f"))
        seed = os.getpid() + clock + int.from_bytes(os.urandom(2), "big")
        logging.getLogger(__name__).info("The random seed of this process is %d.", seed)
    np.random.seed(seed)
    torch.manual_seed(seed)
    random.seed(seed)
    os.environ["PYTHONHASHSEED"] = str(seed)


def fixup_module_metadata(module_name, namespace, keys=None):
    """Do nothing; exists because packages call it to tidy the names shown in documentation."""
