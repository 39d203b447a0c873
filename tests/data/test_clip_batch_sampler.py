"""ClipBatchSampler: Detectron2's order, equal parts for any split over processes, exact resume, weights, groups."""

from collections import Counter
from itertools import islice

import pytest
from detectron2.data.samplers import TrainingSampler
from hypothesis import given, settings
from hypothesis import strategies as st

from vis_projects.data.clip_batch_sampler import ClipBatchSampler


def parts(count, sizes=(10,), items=2, rank=0, world=1, **options):
    sampler = ClipBatchSampler(sizes, items, seed=7, rank=rank, world_size=world, **options)
    return list(islice(sampler, count))


def indices(batches):
    return [index for batch in batches for index, _ in batch]


def test_the_order_is_that_of_the_training_sampler():
    assert indices(parts(15)) == list(islice(TrainingSampler(10, seed=7), 30))


def test_an_epoch_takes_each_item_once_and_every_draw_has_its_own_seed():
    batches = parts(10, sizes=(6, 4))
    assert sorted(indices(batches)[:10]) == sorted(indices(batches)[10:]) == list(range(10))
    seeds = [seed for batch in batches for _, seed in batch]
    assert seeds == [(7, draw) for draw in range(20)]


@settings(max_examples=20, deadline=None)
@given(st.integers(1, 4), st.integers(1, 3), st.booleans())
def test_processes_share_the_parts_of_one_process(world, items, grouped):
    groups = [i % 2 for i in range(10)] if grouped else None
    whole = parts(12, items=items, groups=groups)
    share = 12 // world
    for rank in range(world):
        assert parts(share, items=items, rank=rank, world=world, groups=groups) == whole[rank::world][:share]


@pytest.mark.parametrize("options", [{}, {"groups": [0, 1] * 5}, {"sizes": (4, 6), "weights": (1, 3)}])
@pytest.mark.parametrize("world", [1, 2])
def test_a_resumed_stream_goes_on_where_it_stopped(options, world):
    whole = parts(20, rank=world - 1, world=world, **options)
    assert parts(8, rank=world - 1, world=world, start_part=12, **options) == whole[12:]


def test_parts_hold_one_group_only_and_nothing_is_lost():
    groups = [0, 0, 0, 0, 0, 0, 0, 1, 1, 1]
    batches = parts(40, items=3, groups=groups)
    assert all(len({groups[index] for index, _ in batch}) == 1 for batch in batches)
    # 40 parts of 3 are 120 draws of 10 items; at most 2 + 2 draws wait in unfinished parts
    assert all(count >= 10 for count in Counter(indices(batches)).values())


def test_weights_decide_between_sets_and_sets_are_gone_through_in_turn():
    drawn = indices(parts(2000, sizes=(30, 3), weights=(1, 3)))
    small = [index for index in drawn if index >= 30]
    # expected 3/4 of 4000 = 3000, standard deviation sqrt(4000 * 3/4 * 1/4) = 27
    assert abs(len(small) - 3000) < 5 * 27
    assert all(sorted(small[i : i + 3]) == [30, 31, 32] for i in range(0, len(small) - 2, 3))


def test_a_weight_of_zero_leaves_a_set_out():
    assert max(indices(parts(50, sizes=(5, 5), weights=(1, 0)))) < 5


@pytest.mark.parametrize("weights", [(1,), (1, -1), (0, 0)])
def test_weights_that_do_not_fit_are_named(weights):
    with pytest.raises(ValueError, match="DATASETS.TRAIN_WEIGHTS"):
        parts(1, sizes=(5, 5), weights=weights)


def test_a_weight_on_a_set_without_items_is_named():
    with pytest.raises(ValueError, match="without items"):
        parts(1, sizes=(5, 0), weights=(1, 1))
