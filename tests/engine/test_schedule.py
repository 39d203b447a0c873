"""Epochs to iterations, and how a batch is cut."""

import pytest

from vis_projects.engine.errors import ConfigError
from vis_projects.engine.schedule import BatchPlan, epochs_to_iterations


def test_epochs_round_up_to_whole_iterations():
    # 12 x 100 / 16 = 75; 8 x 100 / 16 = 50; 11 x 100 / 16 = 68.75 -> 69
    assert epochs_to_iterations(12, (8, 11), 100, 16) == (75, (50, 69))


def test_one_epoch_without_steps():
    assert epochs_to_iterations(1, (), 3, 2) == (2, ())


@pytest.mark.parametrize("steps", [(3,), (0,), (2, 1), (1, 1)])
def test_steps_must_ascend_inside_the_training(steps):
    with pytest.raises(ConfigError, match="STEP_EPOCHS"):
        epochs_to_iterations(3, steps, 10, 2)


def test_no_items():
    with pytest.raises(ConfigError, match="NUM_EPOCHS"):
        epochs_to_iterations(3, (), 0, 2)


def test_two_processes_and_two_accumulation_steps_work_on_the_same_parts():
    processes, steps = BatchPlan(8, 1, 2), BatchPlan(8, 2, 1)
    assert processes.items_per_part == steps.items_per_part == 4
    assert [processes.part(0, 0), processes.part(0, 1)] == [steps.part(0, 0), steps.part(1, 0)] == [0, 1]


def test_parts_of_two_processes_with_two_steps_are_all_different():
    plan = BatchPlan(8, 2, 2)
    assert sorted(plan.part(step, rank) for step in range(2) for rank in range(2)) == [0, 1, 2, 3]


@pytest.mark.parametrize("plan", [(3, 2, 1), (2, 2, 2), (0, 1, 1)])
def test_a_batch_that_cannot_be_cut(plan):
    with pytest.raises(ConfigError, match="SOLVER.IMS_PER_BATCH"):
        BatchPlan(*plan)


def test_accumulation_below_one():
    with pytest.raises(ConfigError, match="ACCUM_ITERS is 0"):
        BatchPlan(2, 0)
