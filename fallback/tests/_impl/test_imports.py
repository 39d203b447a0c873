"""Importing the subset is silent and pulls in nothing heavy."""

import subprocess
import sys

SCRIPT = """
import sys
sys.path[:0] = {path!r}
import detectron2.config, detectron2.layers, detectron2.structures
from detectron2.utils import (collect_env, comm, env, events, file_io, logger, memory, registry, serialize)
heavy = ("cv2", "omegaconf", "hydra", "black", "cloudpickle", "matplotlib", "tensorboard", "fvcore.nn")
print([name for name in heavy if name in sys.modules])
"""


def test_no_warning_and_no_heavy_module():
    run = subprocess.run(
        [sys.executable, "-W", "error::FutureWarning", "-c", SCRIPT.format(path=sys.path)],
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert run.returncode == 0, run.stderr
    assert run.stdout.strip() == "[]"
    assert run.stderr.strip() == ""
