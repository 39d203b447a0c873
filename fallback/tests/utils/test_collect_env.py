"""collect_env_info."""

import sys

import torch

from detectron2.utils.collect_env import collect_env_info


def test_names_what_matters():
    text = collect_env_info()
    for part in ("detectron2", "Python", torch.__version__, sys.platform, "fvcore", "GPU available"):
        assert part in text
