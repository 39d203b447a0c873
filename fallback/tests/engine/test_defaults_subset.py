"""What only the subset offers: tensorboard is optional."""

import importlib.util

from detectron2.engine import default_writers


def test_without_tensorboard_its_writer_is_left_out(tmp_path, monkeypatch):
    found = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name, *a: None if name == "tensorboard" else found(name, *a)
    )
    names = [type(writer).__name__ for writer in default_writers(str(tmp_path / "run"), 10)]
    assert names == ["CommonMetricPrinter", "JSONWriter"]
