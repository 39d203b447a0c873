"""Chooses the ``detectron2`` under test: one that is importable anyway (the real one too), else the source beside us.

Tests of what the real package has in common with the subset run against both. Files that only make sense for the subset
end in ``_subset.py`` or lie in ``_impl``; they are not collected when the real package runs.
"""

import importlib.util
import sys
from pathlib import Path

if importlib.util.find_spec("detectron2") is None:
    sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "src"))

import detectron2

if not getattr(detectron2, "__subset__", False):
    collect_ignore = ["_impl"]
    collect_ignore_glob = ["*_subset.py"]
