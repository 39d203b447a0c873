"""EventStorage and its writers."""

import json
import logging

import pytest
import torch

from detectron2.utils.events import (
    CommonMetricPrinter,
    EventStorage,
    EventWriter,
    JSONWriter,
    TensorboardXWriter,
    get_event_storage,
    has_event_storage,
)


class TestStorage:
    def test_open_storage(self):
        assert not has_event_storage()
        with pytest.raises(AssertionError):
            get_event_storage()
        with EventStorage(5) as outer, EventStorage() as inner:
            assert get_event_storage() is inner is not outer and has_event_storage()
        assert not has_event_storage()

    def test_empty(self):
        storage = EventStorage()
        assert storage.latest() == storage.latest_with_smoothing_hint() == {}
        assert storage.count_samples("a") == 0
        with pytest.raises(KeyError):
            storage.history("b")

    def test_scalars_and_iterations(self):
        storage = EventStorage(5)
        storage.put_scalar("a", torch.tensor(1.5))
        storage.put_scalars(b=2, c=3, smoothing_hint=False)
        storage.step()
        storage.put_scalar("a", 4, cur_iter=9)
        assert storage.iter == storage.iteration == 6
        assert storage.latest() == {"a": (4.0, 9), "b": (2.0, 5), "c": (3.0, 5)}
        assert storage.history("a").values() == [(1.5, 5), (4.0, 9)]
        assert storage.smoothing_hints() == {"a": True, "b": False, "c": False}
        storage.iter = 20
        assert storage.iter == 20

    def test_hint_must_not_change(self):
        storage = EventStorage()
        storage.put_scalar("a", 1)
        with pytest.raises(AssertionError):
            storage.put_scalar("a", 1, smoothing_hint=False)
        with pytest.raises(ValueError):
            storage.put_scalar("b", "text")

    def test_median_over_the_last_iterations(self):
        storage = EventStorage()
        for when, value in enumerate([1, 5, 2, 9, 4]):
            storage.put_scalar("a", value, cur_iter=when)
            storage.put_scalar("b", value, cur_iter=when, smoothing_hint=False)
        # The last three are 2, 9, 4; the last two 9, 4.
        assert storage.latest_with_smoothing_hint(3) == {"a": (4.0, 4), "b": (4.0, 4)}
        assert storage.latest_with_smoothing_hint(2)["a"] == (6.5, 4)
        assert storage.count_samples("a", 3) == 3 and storage.count_samples("a", 20) == 5

    def test_name_scope(self):
        storage = EventStorage()
        with storage.name_scope("outer"):
            storage.put_scalar("a", 1)
            with storage.name_scope("inner/"):
                storage.put_scalar("a", 2)
            storage.put_scalar("b", 3)
        storage.put_scalar("c", 4)
        assert list(storage.latest()) == ["outer/a", "inner/a", "outer/b", "c"]

    def test_images_and_histograms_wait(self):
        storage = EventStorage(3)
        storage.put_image("image", torch.zeros(3, 2, 2))
        storage.put_histogram("h", torch.arange(4.0), bins=2)
        assert [(name, when) for name, _, when in storage._vis_data] == [("image", 3)]
        histogram = storage._histograms[0]
        # 0, 1 | 2, 3 with edges 0, 1.5, 3
        assert histogram["bucket_limits"] == [1.5, 3.0] and histogram["bucket_counts"] == [2.0, 2.0]
        assert (histogram["sum"], histogram["sum_squares"], histogram["num"]) == (6.0, 14.0, 4)
        storage.clear_images()
        storage.clear_histograms()
        assert storage._vis_data == storage._histograms == []


def test_writer_interface():
    with pytest.raises(NotImplementedError):
        EventWriter().write()
    assert EventWriter().close() is None


def test_json_writer_appends_what_is_new(tmp_path):
    path = tmp_path / "metrics.json"
    writer = JSONWriter(str(path))
    with EventStorage(0) as storage:
        writer.write()
        storage.put_scalar("a", 1.0)
        writer.write()
        storage.step()
        storage.put_scalars(b=2.0, a=3.0)
        writer.write()
        writer.write()
        storage.put_scalar("late", 1.0, cur_iter=1)
        writer.write()
    writer.close()
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    # a is the median of 1 and 3
    assert lines == [{"a": 1.0, "iteration": 0}, {"a": 2.0, "b": 2.0, "iteration": 1}]


def test_tensorboard_writer_opens_at_the_first_write(tmp_path):
    pytest.importorskip("tensorboard")
    folder = tmp_path / "tb"
    writer = TensorboardXWriter(str(folder))
    assert not folder.exists()
    with EventStorage() as storage:
        storage.put_scalar("a", 1.0)
        storage.put_image("i", torch.zeros(3, 4, 4))
        storage.put_histogram("h", torch.rand(5))
        writer.write()
        assert storage._vis_data == storage._histograms == []
    writer.close()
    assert len(list(folder.iterdir())) == 1
    TensorboardXWriter(str(tmp_path / "never")).close()
    assert not (tmp_path / "never").exists()


class TestPrinter:
    @pytest.fixture
    def lines(self):
        class Keep(logging.Handler):
            def emit(self, record):
                texts.append(record.getMessage())

        texts, handler, logger = [], Keep(), logging.getLogger("detectron2.utils.events")
        logger.addHandler(handler)
        logger.setLevel(logging.INFO)
        yield texts
        logger.removeHandler(handler)

    def test_nothing_to_say(self, lines):
        with EventStorage(3):
            CommonMetricPrinter().write()
        assert lines == [" iter: 3       lr: N/A  "]

    def test_losses_times_and_rate(self, lines):
        with EventStorage(3) as storage:
            storage.put_scalars(total_loss=1.25, loss_a=0.5, other=7)
            storage.put_scalars(time=0.1, data_time=0.01, lr=1.23456789e-5, smoothing_hint=False)
            CommonMetricPrinter().write()
        assert lines == [
            " iter: 3  total_loss: 1.25  loss_a: 0.5    time: 0.1000  last_time: 0.1000  "
            "data_time: 0.0100  last_data_time: 0.0100   lr: 1.2346e-05  "
        ]

    def test_time_left(self, lines):
        with EventStorage(3) as storage:
            storage.put_scalar("time", 0.5, smoothing_hint=False)
            CommonMetricPrinter(100).write()
            # 0.5 s * (100 - 3 - 1)
            assert storage.latest()["eta_seconds"][0] == 48.0
        assert lines[0].startswith(" eta: 0:00:48  iter: 3  ")

    def test_silent_at_the_end(self, lines):
        with EventStorage(10):
            CommonMetricPrinter(10).write()
        assert lines == []

    def test_own_pace_without_measured_time(self, lines):
        printer = CommonMetricPrinter(10)
        with EventStorage(0) as storage:
            printer.write()
            storage.iter = 5
            printer.write()
        assert "eta" not in lines[0] and lines[1].startswith(" eta: 0:00:0")
