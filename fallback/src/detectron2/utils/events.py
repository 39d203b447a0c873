"""``EventStorage``, which collects numbers and images while training, and the writers that publish them."""

import datetime
import json
import logging
import os
import time
from collections import defaultdict
from functools import cached_property

import torch

from detectron2._impl.event_storage import EventStorage, get_event_storage, has_event_storage
from detectron2.utils.file_io import PathManager

__all__ = [
    "CommonMetricPrinter",
    "EventStorage",
    "EventWriter",
    "JSONWriter",
    "TensorboardXWriter",
    "get_event_storage",
    "has_event_storage",
]


class EventWriter:
    """Interface of what publishes an EventStorage."""

    def write(self):
        """Publish what the open storage holds."""
        raise NotImplementedError

    def close(self):
        """Free resources; called once at the end."""


class JSONWriter(EventWriter):
    """Appends one JSON object per iteration with the scalars that are new since the last call."""

    def __init__(self, json_file, window_size=20):
        """Args:
            json_file: file to append to.
            window_size: iterations of the median for scalars that want smoothing.
        """
        self._file_handle = PathManager.open(json_file, "a")
        self._window_size = window_size
        self._last_write = -1

    def write(self):
        """Append the new scalars of the open storage."""
        lines = defaultdict(dict)
        for name, (value, when) in get_event_storage().latest_with_smoothing_hint(self._window_size).items():
            if when > self._last_write:
                lines[when][name] = value
        if not lines:
            return
        self._last_write = max(lines)
        for when, scalars in lines.items():
            print(json.dumps({**scalars, "iteration": when}, sort_keys=True), file=self._file_handle)
        self._file_handle.flush()
        # Some file systems keep data back until asked; a buffer that is no real file cannot be asked.
        try:
            os.fsync(self._file_handle.fileno())
        except (AttributeError, OSError) as error:
            logging.getLogger(__name__).debug("metrics are not synced to disk: %s", error)

    def close(self):
        """Close the file."""
        self._file_handle.close()


class TensorboardXWriter(EventWriter):
    """Writes to a TensorBoard folder, which is made at the first write. Needs the package tensorboard."""

    def __init__(self, log_dir: str, window_size: int = 20, **kwargs):
        """Args:
            log_dir: folder.
            window_size: iterations of the median for scalars that want smoothing.
            kwargs: for ``torch.utils.tensorboard.SummaryWriter``.
        """
        self._window_size = window_size
        self._writer_args = {"log_dir": log_dir, **kwargs}
        self._last_write = -1

    @cached_property
    def _writer(self):
        from torch.utils.tensorboard import SummaryWriter

        return SummaryWriter(**self._writer_args)

    def write(self):
        """Write the new scalars, and all images and histograms, which the storage then forgets."""
        storage = get_event_storage()
        newest = self._last_write
        for name, (value, when) in storage.latest_with_smoothing_hint(self._window_size).items():
            if when > self._last_write:
                self._writer.add_scalar(name, value, when)
                newest = max(newest, when)
        self._last_write = newest
        for name, image, when in storage._vis_data:
            self._writer.add_image(name, image, when)
        storage.clear_images()
        for histogram in storage._histograms:
            self._writer.add_histogram_raw(**histogram)
        storage.clear_histograms()

    def close(self):
        """Close the writer if it was ever opened."""
        if "_writer" in self.__dict__:
            self._writer.close()


class CommonMetricPrinter(EventWriter):
    """Logs losses, times, learning rate, memory and the time left as one line."""

    def __init__(self, max_iter: int | None = None, window_size: int = 20):
        """Args:
            max_iter: last iteration, for the estimate of the time left; None leaves it out.
            window_size: iterations over which values are smoothed.
        """
        self.logger = logging.getLogger("detectron2.utils.events")
        self._max_iter = max_iter
        self._window_size = window_size
        self._last_write = None  # (iteration, seconds) of the last estimate without a measured time

    def write(self):
        """Log the line; nothing when training is over."""
        storage = get_event_storage()
        if storage.iter == self._max_iter:
            return
        eta = self._get_eta(storage)
        histories = storage.histories()
        lr = f"{histories['lr'].latest():.5g}" if "lr" in histories else "N/A"
        memory = f"max_mem: {torch.cuda.max_memory_allocated() / 2**20:.0f}M" if torch.cuda.is_available() else ""
        self.logger.info(
            " %siter: %d  %s  %s  %s%s lr: %s  %s",
            f"eta: {eta}  " if eta else "",
            storage.iter,
            self._medians(storage, "loss"),
            self._medians(storage, "[metric]"),
            _times(histories, "time", lambda buffer: buffer.global_avg()),
            _times(
                histories,
                "data_time",
                lambda buffer: buffer.avg(storage.count_samples("data_time", self._window_size)),
            ),
            lr,
            memory,
        )

    def _medians(self, storage, part: str) -> str:
        return "  ".join(
            f"{name}: {buffer.median(storage.count_samples(name, self._window_size)):.4g}"
            for name, buffer in storage.histories().items()
            if part in name
        )

    def _get_eta(self, storage) -> str | None:
        """Return the time left as text, from measured times or else from the pace of our own calls."""
        if self._max_iter is None:
            return ""
        left = self._max_iter - storage.iter - 1
        if "time" in storage.histories():
            seconds = storage.history("time").median(1000) * left
            storage.put_scalar("eta_seconds", seconds, smoothing_hint=False)
            return str(datetime.timedelta(seconds=int(seconds)))
        before, self._last_write = self._last_write, (storage.iter, time.perf_counter())
        if before is None or before[0] == storage.iter:
            return None
        pace = (self._last_write[1] - before[1]) / (storage.iter - before[0])
        return str(datetime.timedelta(seconds=int(pace * left)))


def _times(histories, name: str, average) -> str:
    if name not in histories:
        return ""
    buffer = histories[name]
    return f"{name}: {average(buffer):.4f}  last_{name}: {buffer.latest():.4f}  "
