"""VideoInferenceSampler: whole videos, each exactly once, balanced by frames."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vis_projects.data.inference_sampler import VideoInferenceSampler, balanced_shares


def shares(lengths, world):
    return [list(VideoInferenceSampler(lengths, rank, world)) for rank in range(world)]


def test_no_videos_and_more_processes_than_videos():
    assert shares([], 2) == [[], []]
    assert shares([5], 3) == [[0], [], []]
    assert len(VideoInferenceSampler([5], 2, 3)) == 0


def test_one_process_has_all_in_order():
    assert list(VideoInferenceSampler([3, 9, 1])) == [0, 1, 2]
    assert len(VideoInferenceSampler([3, 9, 1])) == 3


def test_the_longest_goes_to_the_least_loaded():
    # 9 -> rank 0; 6 -> rank 1; 5 -> rank 1 (6 < 9); 3 -> rank 0 (9 < 11): loads 12 and 11
    assert shares([5, 9, 3, 6], 2) == [[1, 2], [0, 3]]


def test_videos_without_frames_are_spread_too():
    assert shares([0, 0, 0, 0], 2) == [[0, 2], [1, 3]]


@given(st.lists(st.integers(1, 200), max_size=40), st.integers(1, 6))
def test_each_video_once_and_loads_within_one_video(lengths, world):
    result = shares(lengths, world)
    assert sorted(index for share in result for index in share) == list(range(len(lengths)))
    loads = [sum(lengths[index] for index in share) for share in result]
    assert max(loads) - min(loads) <= max(lengths, default=0)
    assert result == balanced_shares(lengths, world)


def test_rank_beyond_the_world_is_refused():
    with pytest.raises(IndexError):
        VideoInferenceSampler([1], 2, 2)
