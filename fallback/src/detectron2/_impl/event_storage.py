"""``EventStorage`` and access to the open one. ``detectron2.utils.events`` shows them to users."""

from collections import defaultdict
from contextlib import contextmanager

import torch
from fvcore.common.history_buffer import HistoryBuffer

_STORAGES = []


def get_event_storage():
    """Return the innermost open storage; AssertionError outside of ``with EventStorage(...)``."""
    assert _STORAGES, "get_event_storage() works only inside `with EventStorage(...)`"
    return _STORAGES[-1]


def has_event_storage():
    """Whether a storage is open."""
    return len(_STORAGES) > 0


class EventStorage:
    """Histories of scalars, and images and histograms that wait to be written. Use it with ``with``.

    The storage counts iterations (``iter``); whoever runs the loop calls ``step`` or sets it.
    """

    def __init__(self, start_iter=0):
        self._iter = start_iter
        self._history = defaultdict(HistoryBuffer)
        self._smoothing_hints = {}
        self._latest_scalars = {}
        self._current_prefix = ""
        self._vis_data = []
        self._histograms = []

    def put_image(self, img_name, img_tensor):
        """Keep a C x H x W image (uint8, or float in [0, 1], RGB) until it is written."""
        self._vis_data.append((img_name, img_tensor, self._iter))

    def put_scalar(self, name, value, smoothing_hint=True, cur_iter=None):
        """Add a number to a history.

        Args:
            name: name of the history; the current name scope is put in front.
            value: what ``float`` accepts.
            smoothing_hint: whether writers should smooth it; must not change for a name (AssertionError).
            cur_iter: iteration, by default that of the storage.
        """
        name = self._current_prefix + name
        value = float(value)
        when = self._iter if cur_iter is None else cur_iter
        self._history[name].update(value, when)
        self._latest_scalars[name] = (value, when)
        known = self._smoothing_hints.setdefault(name, smoothing_hint)
        assert known == smoothing_hint, f"'{name}' had smoothing_hint={known} before and now has {smoothing_hint}"

    def put_scalars(self, *, smoothing_hint=True, cur_iter=None, **kwargs):
        """Add several numbers, given as keyword arguments."""
        for name, value in kwargs.items():
            self.put_scalar(name, value, smoothing_hint=smoothing_hint, cur_iter=cur_iter)

    def put_histogram(self, hist_name, hist_tensor, bins=1000):
        """Keep the histogram of a tensor, with equal bins from its minimum to its maximum, until it is written."""
        low, high = hist_tensor.min().item(), hist_tensor.max().item()
        counts = torch.histc(hist_tensor, bins=bins)
        edges = torch.linspace(low, high, bins + 1)
        self._histograms.append(
            {
                "tag": hist_name,
                "min": low,
                "max": high,
                "num": len(hist_tensor),
                "sum": float(hist_tensor.sum()),
                "sum_squares": float((hist_tensor**2).sum()),
                "bucket_limits": edges[1:].tolist(),
                "bucket_counts": counts.tolist(),
                "global_step": self._iter,
            }
        )

    def history(self, name):
        """Return the HistoryBuffer of a name; KeyError when there is none."""
        if name not in self._history:
            raise KeyError(f"no scalar named '{name}' was put")
        return self._history[name]

    def histories(self):
        """Return all histories by name."""
        return self._history

    def latest(self):
        """Return the last (value, iteration) of each name."""
        return self._latest_scalars

    def latest_with_smoothing_hint(self, window_size=20):
        """Return like ``latest``, but the median over the last iterations for names that want smoothing."""
        smoothed = {}
        for name, (value, when) in self._latest_scalars.items():
            if self._smoothing_hints[name]:
                value = self._history[name].median(self.count_samples(name, window_size))
            smoothed[name] = (value, when)
        return smoothed

    def count_samples(self, name, window_size=20):
        """Return how many values of a name are from the last ``window_size`` iterations before its latest one."""
        if name not in self._latest_scalars:
            return 0
        start = self._latest_scalars[name][1] - window_size
        return sum(when > start for _, when in self._history[name].values())

    def smoothing_hints(self):
        """Return the hint of each name."""
        return self._smoothing_hints

    def step(self):
        """Go to the next iteration."""
        self._iter += 1

    @property
    def iter(self):
        """The current iteration, from the start of training."""
        return self._iter

    @iter.setter
    def iter(self, val):
        self._iter = int(val)

    @property
    def iteration(self):
        """Old name of ``iter``."""
        return self._iter

    def __enter__(self):
        _STORAGES.append(self)
        return self

    def __exit__(self, exc_type, exc_val, exc_tb):
        assert _STORAGES[-1] is self, "event storages must be closed in the reverse order of opening"
        _STORAGES.pop()

    @contextmanager
    def name_scope(self, name):
        """Put "name/" in front of the scalars of the block; an inner scope replaces an outer one."""
        outer = self._current_prefix
        self._current_prefix = name.rstrip("/") + "/"
        try:
            yield
        finally:
            self._current_prefix = outer

    def clear_images(self):
        """Forget the images."""
        self._vis_data = []

    def clear_histograms(self):
        """Forget the histograms."""
        self._histograms = []
