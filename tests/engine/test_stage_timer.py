"""Exclusive stage times that add up, on a clock that the test turns."""

import pytest

from vis_projects.engine.stage_timer import OTHER, STAGES, StageTimer


class Clock:
    def __init__(self):
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def timer_and_clock(stages=("decode", "model", "associate")):
    clock = Clock()
    return StageTimer(stages, clock=clock), clock


def test_nothing_timed():
    timer, _ = timer_and_clock()
    assert timer.rows() == [] and timer.num_frames == 0


def test_a_stage_inside_another_is_taken_off():
    timer, clock = timer_and_clock()
    timer.start()
    with timer.stage("model"):
        clock.now += 2
        with timer.stage("associate"):
            clock.now += 3
        clock.now += 4
    timer.end_frame()
    assert timer.seconds("model").tolist() == [6.0]  # 2 + 4
    assert timer.seconds("associate").tolist() == [3.0]
    assert timer.seconds("wall").tolist() == [9.0]


def test_stages_and_the_rest_add_up_to_the_wall_time():
    timer, clock = timer_and_clock()
    timer.start()
    for frame in range(3):
        clock.now += 0.5  # between stages
        with timer.stage("decode"):
            clock.now += 1 + frame
        with timer.stage("model"):
            clock.now += 2
        timer.end_frame()
    parts = sum(timer.seconds(name) for name in (*timer.stages, OTHER))
    assert parts.tolist() == timer.seconds("wall").tolist() == [3.5, 4.5, 5.5]
    assert timer.seconds(OTHER).tolist() == [0.5, 0.5, 0.5]


def test_rows_have_mean_median_and_95th_percentile():
    timer, clock = timer_and_clock(("model",))
    timer.start()
    for milliseconds in range(1, 102):  # 1 .. 101: mean 51, median 51, 95th percentile 1 + 0.95 * 100 = 96
        with timer.stage("model"):
            clock.now += milliseconds / 1000
        timer.end_frame()
    name, mean, p50, p95, share = timer.rows()[0]
    assert name == "model" and (mean, p50, p95, share) == pytest.approx((51, 51, 96, 1), abs=1e-6)
    assert "p95 ms" in timer.table()


def test_iterating_counts_the_making_of_items_only():
    timer, clock = timer_and_clock()

    def items():
        for value in range(2):
            clock.now += 1
            yield value

    timer.start()
    for _ in timer.iterate(items(), "decode"):
        clock.now += 5
        timer.end_frame()
    assert timer.seconds("decode").tolist() == [1.0, 1.0]
    assert timer.seconds(OTHER).tolist() == [5.0, 5.0]


def test_a_wrapped_function_is_timed_and_returns():
    timer, clock = timer_and_clock()

    def work(value, *, more):
        clock.now += 2
        return value + more

    timer.start()
    assert timer.wrap(work, "associate")(1, more=2) == 3
    timer.end_frame()
    assert timer.seconds("associate").tolist() == [2.0]


def test_an_exception_closes_its_stage():
    timer, clock = timer_and_clock()
    timer.start()
    with pytest.raises(RuntimeError), timer.stage("model"):
        clock.now += 1
        raise RuntimeError
    clock.now += 7
    timer.end_frame()
    assert timer.seconds("model").tolist() == [1.0] and timer.seconds(OTHER).tolist() == [7.0]


def test_unknown_stage_is_named():
    with pytest.raises(ValueError, match="'nap'.*decode"), StageTimer(STAGES).stage("nap"):
        pass


def test_a_disabled_timer_keeps_nothing():
    timer = StageTimer(enabled=False)
    timer.start()
    with timer.stage("model"):
        pass
    timer.end_frame()
    assert timer.num_frames == 0
