"""Progress of a pass over videos: a bar on a terminal, a log line now and then elsewhere, both with the time left."""

import datetime
import logging
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from detectron2.utils import comm
from tqdm import tqdm

logger = logging.getLogger(__name__)

LOG_PERIOD_S = 5.0


class Progress:
    """Counts the main process's work and shows rate and time left; other processes stay silent.

    Work is counted in units, videos or frames; a part of a video counts as a part of a unit.
    """

    def __init__(
        self, total: float | None, *, title: str, unit: str = "frame", clock: Callable[[], float] = time.perf_counter
    ) -> None:
        """
        Args:
            total: units of the whole work, None if nobody knows, as with a camera.
            title: what is going on.
            unit: name of the unit.
            clock: seconds, rising.
        """
        self.total, self.title, self.unit = total, title, unit
        self.done, self.frames = 0.0, 0
        self._clock, self._start = clock, clock()
        self._last_log = self._start
        self._main = comm.is_main_process()
        interactive = self._main and sys.stderr.isatty()
        self._bar = tqdm(total=total, desc=title, unit=unit, unit_scale=True) if interactive else None

    def advance(self, amount: float = 1.0) -> None:
        """Enters one finished frame, which is `amount` of a unit."""
        self.done += amount
        self.frames += 1
        if self._bar is not None:
            self._bar.update(amount)
        elif self._main and self._clock() - self._last_log >= LOG_PERIOD_S:
            self._last_log = self._clock()
            logger.info(self.line())

    def line(self) -> str:
        """Units done, frames a second, time left."""
        seconds = max(self._clock() - self._start, 1e-9)
        text = f"{self.title}: {self.done:.4g}/{self.total or '?'} {self.unit}s, {self.frames / seconds:.1f} frames/s"
        if self.total and self.done:
            left = datetime.timedelta(seconds=round((self.total - self.done) * seconds / self.done))
            text += f", ETA {left}"
        return text

    def close(self) -> None:
        """Ends the bar, or logs the last line."""
        if self._bar is not None:
            self._bar.close()
        elif self._main:
            logger.info(self.line())


class CountedFrames(Sequence):
    """The frames of a video; each advances a progress over videos when the next is asked for, i.e. when it is done."""

    def __init__(self, frames: Sequence, progress: Progress) -> None:
        self._frames, self._progress = frames, progress

    def __len__(self) -> int:
        return len(self._frames)

    def __getitem__(self, index: Any) -> Any:
        return self._frames[index]

    def __iter__(self) -> Iterator:
        for frame in self._frames:
            yield frame
            self._progress.advance(1 / len(self))
