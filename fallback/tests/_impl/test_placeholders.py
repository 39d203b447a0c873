"""Absent names import, and refuse to work with a message that names the real package."""

import copy

import pytest

from detectron2._impl.placeholders import placeholder_getattr


@pytest.fixture
def absent():
    return placeholder_getattr("detectron2.layers", ["ASPP"])("ASPP")


def test_unknown_name_is_an_attribute_error():
    lookup = placeholder_getattr("detectron2.layers", ["ASPP"])
    with pytest.raises(AttributeError, match="nonsense"):
        lookup("nonsense")


def test_call_names_the_path_and_the_real_package(absent):
    with pytest.raises(ImportError, match=r"detectron2\.layers\.ASPP.*real package"):
        absent(3)


def test_subclassing_refuses(absent):
    with pytest.raises(ImportError, match="ASPP"):
        type("Mine", absent.__mro_entries__(()), {})
    with pytest.raises(ImportError, match="ASPP"):

        class Mine(absent):
            pass


def test_attribute_refuses_but_probing_of_dunder_names_does_not(absent):
    with pytest.raises(ImportError, match="ASPP"):
        absent.from_config
    assert not hasattr(absent, "__wrapped__")
    assert copy.copy(absent) is not absent


def test_nothing_is_an_instance(absent):
    assert not isinstance(3, absent)
    assert "ASPP" in repr(absent)


@pytest.mark.parametrize(
    ("module", "name"),
    [
        ("detectron2.config", "LazyConfig"),
        ("detectron2.layers", "ROIAlignRotated"),
        ("detectron2.layers.blocks", "DepthwiseSeparableConv2d"),
        ("detectron2.model_zoo", "get_config"),
        ("detectron2.structures", "RotatedBoxes"),
        ("detectron2.utils.visualizer", "Visualizer"),
        ("detectron2.utils.video_visualizer", "VideoVisualizer"),
        ("detectron2.utils.colormap", "random_color"),
        ("detectron2.utils.testing", "get_model_no_weights"),
    ],
)
def test_known_absent_names_import(module, name):
    found = getattr(__import__(module, fromlist=[name]), name)
    with pytest.raises(ImportError, match=name):
        found()
