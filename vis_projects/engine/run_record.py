"""Writes down what a run is made of: command, code, environment, data; config.yaml beside it is the config."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from detectron2.config import CfgNode
from detectron2.data import MetadataCatalog
from detectron2.utils import comm

import vis_projects
from vis_projects.engine.dataset_facts import file_sha256
from vis_projects.utils import env_report

RECORD_NAME = "run.json"


def write_run_record(cfg: CfgNode) -> None:
    """Writes OUTPUT_DIR/run.json on the main process.

    Args:
        cfg: resolved config; each data set it names is recorded with the hash of its annotation file.
    """
    if not comm.is_main_process():
        return
    folder = Path(cfg.OUTPUT_DIR)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / RECORD_NAME).write_text(json.dumps(run_record(cfg), indent=2) + "\n", encoding="utf-8")


def run_record(cfg: CfgNode) -> dict[str, Any]:
    """The record itself: plain json values."""
    names = dict.fromkeys([*cfg.DATASETS.TRAIN, *cfg.DATASETS.TEST])
    files = {name: MetadataCatalog.get(name).get("json_file", "") for name in names}
    return {
        "command": sys.argv,
        "vis_projects": vis_projects.__version__,
        "git": git_revision(),
        "seed": cfg.SEED,
        "world_size": comm.get_world_size(),
        "datasets": {name: {"json_file": path, "sha256": file_sha256(path)} for name, path in files.items()},
        "environment": env_report().splitlines(),
    }


def git_revision() -> str | None:
    """Commit of the checkout that this package runs from, "+changes" if it differs; None when it is no checkout."""
    package = Path(vis_projects.__file__).resolve().parent
    try:
        # an installed copy may lie inside somebody else's repository, which does not track this file
        _git(package, "ls-files", "--error-unmatch", "__init__.py")
        return _git(package, "rev-parse", "HEAD") + ("+changes" if _git(package, "status", "--porcelain", ".") else "")
    except (OSError, subprocess.CalledProcessError):
        return None


def _git(folder: Path, *args: str) -> str:
    return subprocess.run(["git", "-C", str(folder), *args], check=True, capture_output=True, text=True).stdout.strip()
