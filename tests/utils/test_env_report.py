"""The environment report names what runs."""

import sys

import torch

from vis_projects.layers import ops_status
from vis_projects.utils import env_report


def test_report_names_versions_detectron2_and_every_op():
    report = env_report()
    assert torch.__version__ in report
    assert "real" in report or "fallback subset" in report
    for op, state in ops_status().items():
        line = next(line for line in report.splitlines() if f"op {op}" in line)
        assert state in line and ("native" in state or "fallback" in state)


def test_missing_package_is_reported_not_raised(monkeypatch):
    monkeypatch.setattr(sys.modules["vis_projects.utils.env_report"], "PACKAGES", ("no_such_package",))
    assert "No module named 'no_such_package'" in env_report()
