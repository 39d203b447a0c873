"""Times the stages of a video pipeline so that their parts add up to the wall time."""

import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from tabulate import tabulate

STAGES = ("decode", "preprocess", "model", "associate", "encode", "draw")
OTHER = "other"  # wall time outside any stage


class StageTimer:
    """Exclusive time per stage and frame: a stage inside another is taken off the outer one.

    CUDA work is waited for at each border, so that it counts where it was started; this makes a timed run slower
    than an untimed one.
    """

    def __init__(
        self,
        stages: Iterable[str] = STAGES,
        *,
        device: torch.device | str = "cpu",
        enabled: bool = True,
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        """
        Args:
            stages: names, in the order of the table.
            device: of the model.
            enabled: False measures nothing and waits for nothing.
            clock: seconds, rising.
        """
        self.stages = tuple(stages)
        self.enabled = enabled
        self._cuda = torch.device(device).type == "cuda"
        self._clock = clock
        self._frames: list[dict[str, float]] = []
        self._current = dict.fromkeys(self.stages, 0.0)
        self._open: list[str] = []
        self._mark = 0.0
        self._frame_start: float | None = None

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Counts the time inside, less that of stages within, for `name`.

        Raises:
            ValueError: unknown stage.
        """
        if name not in self.stages:
            raise ValueError(f"no stage {name!r}; the timer knows {', '.join(self.stages)}")
        if not self.enabled:
            yield
            return
        self._switch()
        self._open.append(name)
        try:
            yield
        finally:
            self._switch()
            self._open.pop()

    def wrap(self, function: Callable, name: str) -> Callable:
        """`function` whose calls count for the stage `name`."""

        def timed(*args: Any, **kwargs: Any) -> Any:
            with self.stage(name):
                return function(*args, **kwargs)

        return timed

    def iterate(self, items: Iterable, name: str) -> Iterator:
        """The items, the time to make each counted for the stage `name`."""
        iterator = iter(items)
        while True:
            with self.stage(name):
                try:
                    item = next(iterator)
                except StopIteration:
                    return
            yield item

    def start(self) -> None:
        """Begins the wall time; frames before are forgotten."""
        self._frames = []
        self._current = dict.fromkeys(self.stages, 0.0)
        self._frame_start = self._now()

    def end_frame(self) -> None:
        """Closes a frame: what was counted since the last one is its share."""
        if not self.enabled:
            return
        now = self._now()
        wall = now - (self._frame_start if self._frame_start is not None else now)
        self._frames.append({**self._current, OTHER: wall - sum(self._current.values()), "wall": wall})
        self._current = dict.fromkeys(self.stages, 0.0)
        self._frame_start = now

    @property
    def num_frames(self) -> int:
        """Frames closed since `start`."""
        return len(self._frames)

    def seconds(self, name: str) -> np.ndarray:
        """Seconds per frame (n,) of a stage, of "other", or of "wall"."""
        return np.array([frame[name] for frame in self._frames], dtype=np.float64)

    def rows(self) -> list[tuple[str, float, float, float, float]]:
        """(stage, mean ms, p50 ms, p95 ms, share of the wall time) per stage, then "other", then "wall"."""
        if not self._frames:
            return []
        total = max(self.seconds("wall").sum(), 1e-12)
        rows = []
        for name in (*self.stages, OTHER, "wall"):
            values = self.seconds(name)
            p50, p95 = np.percentile(values, [50, 95])
            rows.append((name, 1e3 * values.mean(), 1e3 * p50, 1e3 * p95, values.sum() / total))
        return rows

    def table(self) -> str:
        """The rows as text."""
        rows = [(name, f"{mean:.2f}", f"{p50:.2f}", f"{p95:.2f}", f"{100 * share:.1f} %")
                for name, mean, p50, p95, share in self.rows()]
        return tabulate(rows, headers=("stage", "mean ms", "p50 ms", "p95 ms", "share"), disable_numparse=True,
                        colalign=("left", "right", "right", "right", "right"))

    def _switch(self) -> None:
        # gives the time since the last switch to the innermost open stage
        now = self._now()
        if self._open:
            self._current[self._open[-1]] += now - self._mark
        self._mark = now

    def _now(self) -> float:
        if self._cuda:
            torch.cuda.synchronize()
        return self._clock()
