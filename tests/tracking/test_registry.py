"""Trackers are built by name, and a wrong name is answered with the known ones."""

import pytest
from detectron2.config import CfgNode

from vis_projects.tracking import TRACKER_REGISTRY, Tracker, build_tracker


def config(name):
    return CfgNode({"MODEL": {"VIS": {"TRACKER": {"NAME": name}}}})


@TRACKER_REGISTRY.register()
class EchoTracker(Tracker):
    def __init__(self, cfg):
        self.name = cfg.MODEL.VIS.TRACKER.NAME

    def update(self, instances):
        return instances


def test_each_call_builds_a_fresh_tracker():
    cfg = config("EchoTracker")
    one, other = build_tracker(cfg), build_tracker(cfg)
    assert isinstance(one, EchoTracker) and one is not other
    assert one.name == "EchoTracker"


@pytest.mark.parametrize("name", ["", "NoSuchTracker"])
def test_unknown_name_lists_the_known_ones(name):
    with pytest.raises(KeyError, match="MODEL.VIS.TRACKER.NAME is .*EchoTracker"):
        build_tracker(config(name))
