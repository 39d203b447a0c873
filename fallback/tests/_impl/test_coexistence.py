"""The installed subset steps back for a real Detectron2."""

from importlib import metadata

import pytest

import detectron2
from detectron2._impl import coexistence

INSTALLED = "/site-packages/_d2subset/detectron2/__init__.py"


def _no_distribution(name):
    raise metadata.PackageNotFoundError(name)


def test_version_and_mark():
    assert detectron2.__version__ == "0.6+subset.1"
    assert detectron2.__subset__ is True


def test_installed_beside_a_real_one_refuses(monkeypatch):
    monkeypatch.setattr(coexistence.metadata, "version", lambda name: {"detectron2": "0.6"}[name])
    with pytest.raises(ImportError, match=r"detectron2 0\.6 is installed.*pip uninstall"):
        coexistence.refuse_to_shadow_real(INSTALLED)


def test_installed_alone_is_fine(monkeypatch):
    monkeypatch.setattr(coexistence.metadata, "version", _no_distribution)
    assert coexistence.refuse_to_shadow_real(INSTALLED) is None


def test_source_tree_on_the_path_is_what_was_asked_for(monkeypatch):
    monkeypatch.setattr(coexistence.metadata, "version", lambda name: "0.6")
    assert coexistence.refuse_to_shadow_real("/checkout/src/detectron2/__init__.py") is None
