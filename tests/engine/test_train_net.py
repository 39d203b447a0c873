"""train_net.py from the command line: mistakes are one line and a non-zero exit code."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def train_net(*args: str, datasets: Path) -> subprocess.CompletedProcess:
    env = {**os.environ, "DETECTRON2_DATASETS": str(datasets), "PYTHONWARNINGS": "ignore"}
    return subprocess.run([sys.executable, "train_net.py", *args], cwd=ROOT, env=env, capture_output=True, text=True)


def test_eval_only_without_the_data_set_is_one_clear_error(tmp_path):
    config = "configs/masktrack_rcnn/masktrack_rcnn_R_50_FPN_1x_ytvis2019.yaml"
    run = train_net("--config-file", config, "--eval-only", datasets=tmp_path)
    assert run.returncode == 2
    errors = [line for line in run.stderr.splitlines() if line.strip()]
    assert len(errors) == 1 and errors[0].startswith("error: data set ytvis_2019_val")
    assert str(tmp_path / "ytvis_2019") in errors[0] and "DETECTRON2_DATASETS" in errors[0]
    assert "Traceback" not in run.stdout
