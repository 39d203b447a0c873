"""Rate and time left, on a clock that the test turns."""

import logging

from vis_projects.engine.progress import CountedFrames, Progress


class Clock:
    def __init__(self):
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def test_line_has_rate_and_time_left():
    clock = Clock()
    progress = Progress(4, title="evaluate", unit="video", clock=clock)
    for _ in range(10):
        progress.advance(0.1)
    clock.now = 5.0
    # 10 frames in 5 s; 1 of 4 videos in 5 s leaves 15 s
    assert progress.line() == "evaluate: 1/4 videos, 2.0 frames/s, ETA 0:00:15"


def test_unknown_total_and_nothing_done():
    assert Progress(None, title="camera", clock=Clock()).line() == "camera: 0/? frames, 0.0 frames/s"
    assert "ETA" not in Progress(3, title="t", clock=Clock()).line()


def test_lines_are_logged_now_and_then(caplog):
    clock = Clock()
    progress = Progress(100, title="demo", clock=clock)
    with caplog.at_level(logging.INFO, logger="vis_projects"):
        for _ in range(100):
            clock.now += 0.25
            progress.advance()
        progress.close()
    # 25 s at one line every 5 s, and one at the end
    assert len([r for r in caplog.records if r.getMessage().startswith("demo")]) == 6


def test_counted_frames_advance_when_the_next_is_asked_for():
    progress = Progress(1, title="t", unit="video", clock=Clock())
    frames = CountedFrames(["a", "b"], progress)
    assert len(frames) == 2 and frames[1] == "b"
    seen = []
    for frame in frames:
        seen.append((frame, progress.done))
    assert seen == [("a", 0.0), ("b", 0.5)] and progress.done == 1.0


def test_no_frames():
    progress = Progress(1, title="t", clock=Clock())
    assert list(CountedFrames([], progress)) == [] and progress.frames == 0
