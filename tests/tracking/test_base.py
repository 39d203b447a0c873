"""The tracker interface asks for ``update``."""

import pytest

from vis_projects.tracking import Tracker


def test_the_interface_alone_cannot_be_built():
    with pytest.raises(TypeError, match="update"):
        Tracker()


def test_a_class_with_update_can():
    class Echo(Tracker):
        def update(self, instances):
            return instances

    assert Echo().update("frame") == "frame"
