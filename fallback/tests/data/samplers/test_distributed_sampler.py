"""Order and division of indices."""

from itertools import islice

import numpy as np
import pytest
import torch
from detectron2.data.samplers import InferenceSampler, RepeatFactorTrainingSampler, TrainingSampler
from hypothesis import given
from hypothesis import strategies as st


@pytest.mark.parametrize("size, error", [(0, ValueError), (-1, ValueError), (2.0, TypeError), ("3", TypeError)])
def test_training_sampler_refuses_wrong_sizes(size, error):
    with pytest.raises(error):
        TrainingSampler(size)


def test_training_sampler_without_shuffling_repeats():
    assert list(islice(TrainingSampler(3, shuffle=False), 7)) == [0, 1, 2, 0, 1, 2, 0]


def test_training_sampler_draws_permutations_from_its_seed():
    generator = torch.Generator().manual_seed(5)
    expected = torch.randperm(4, generator=generator).tolist() + torch.randperm(4, generator=generator).tolist()
    sampler = TrainingSampler(4, seed=5)
    assert list(islice(sampler, 8)) == expected
    assert list(islice(sampler, 8)) == expected  # a new iteration begins anew


def test_training_sampler_without_seed_draws_one_from_numpy():
    np.random.seed(3)
    seed = np.random.randint(2**31)
    np.random.seed(3)
    assert list(islice(TrainingSampler(9), 9)) == list(islice(TrainingSampler(9, seed=seed), 9))


def test_inference_sampler_gives_each_index_once():
    sampler = InferenceSampler(3)
    assert list(sampler) == [0, 1, 2] and len(sampler) == 3
    with pytest.raises(AssertionError):
        InferenceSampler(0)


def test_first_ranks_take_one_more():
    # 8 = 3 + 3 + 2
    parts = [list(InferenceSampler._get_local_indices(8, 3, rank)) for rank in range(3)]
    assert parts == [[0, 1, 2], [3, 4, 5], [6, 7]]
    assert [len(InferenceSampler._get_local_indices(1, 3, rank)) for rank in range(3)] == [1, 0, 0]


@given(st.integers(1, 60), st.integers(1, 9))
def test_parts_cover_everything(size, world):
    parts = [list(InferenceSampler._get_local_indices(size, world, rank)) for rank in range(world)]
    assert sum(parts, []) == list(range(size))
    assert max(map(len, parts)) - min(map(len, parts)) <= 1


def test_repeat_factors_of_the_rarest_class():
    records = [{"annotations": [{"category_id": c} for c in classes]} for classes in ([0], [0], [0, 1], [])]
    # class 0 is in 3/4 of the images, class 1 in 1/4; threshold 1/2: factors max(1, 2/3) = 1 and 2
    factors = RepeatFactorTrainingSampler.repeat_factors_from_category_frequency(records, 0.5, sqrt=False)
    assert factors.tolist() == [1, 1, 2, 1]
    factors = RepeatFactorTrainingSampler.repeat_factors_from_category_frequency(records, 0.5)
    assert factors.tolist() == pytest.approx([1, 1, 2**0.5, 1])


def test_repeated_indices_without_shuffling():
    sampler = RepeatFactorTrainingSampler(torch.tensor([1.0, 2.0, 0.0]), shuffle=False, seed=0)
    assert list(islice(sampler, 6)) == [0, 1, 1, 0, 1, 1]


def test_fractions_are_the_chance_of_one_more():
    sampler = RepeatFactorTrainingSampler(torch.full((1000,), 1.25), seed=1)
    epoch = sampler._get_epoch_indices(torch.Generator().manual_seed(1))
    # mean 1250, standard deviation sqrt(1000 * 1/4 * 3/4) = 13.7
    assert abs(len(epoch) - 1250) < 70 and set(epoch.tolist()) == set(range(1000))
