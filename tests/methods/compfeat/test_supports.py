"""Supports of a video: the right frames, each projected once, whatever the mode."""

from collections import Counter

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from vis_projects.data.support_sampler import support_frames
from vis_projects.methods.compfeat.supports import MODES, SupportFrames


def video(length):
    return [torch.tensor(float(t)) for t in range(length)]


class Projector:
    """The "keys" of frame t are t, its "values" -t; counts how often a frame is projected."""

    def __init__(self):
        self.calls = Counter()

    def __call__(self, frame):
        self.calls[int(frame)] += 1
        key = torch.full((1, 2, 1, 3), float(frame))
        return {"a": (key, -key), "b": (key[..., :1], -key[..., :1])}


def run(supports, frames):
    """The support frames that each frame gets, read off the keys; and the projector."""
    project, found = Projector(), []
    for t, frame in enumerate(frames):
        made = []
        own = lambda made=made, frame=frame: made[0] if made else made.append(project(frame)) or made[0]  # noqa: E731
        sites = supports.supports_of(t, own, project)
        for key, value in sites.values():
            assert torch.equal(key, -value) and key.shape[0] == 1
        assert torch.equal(sites["a"][0][..., :1], sites["b"][0])
        found.append(sorted(int(x) for x in sites["a"][0][0, :, 0, 0, 0]))
        supports.remember(t, own)
    return found, project


@pytest.mark.parametrize("mode", MODES)
def test_a_one_frame_video_supports_itself(mode):
    found, _ = run(SupportFrames(mode, 4, 8, video(1)), video(1))
    assert found == [[0]]  # once: repeating all supports changes nothing


@given(st.integers(2, 25), st.integers(1, 6))
def test_the_whole_video_is_spread_over_as_the_sampler_says(length, count):
    supports = SupportFrames("uniform_video", count, 36, video(length))
    found, project = run(supports, video(length))
    assert found == [support_frames(length, t, count, "uniform") for t in range(length)]
    assert set(project.calls.values()) == {1} and len(project.calls) <= 2 * count
    assert all(len(cache) <= 2 * count for cache in supports._caches.values())


@given(st.sampled_from(["uniform_past", "recent"]), st.integers(1, 25), st.integers(1, 5))
def test_the_past_is_spread_over_as_the_sampler_says(mode, length, count):
    found, project = run(SupportFrames(mode, count, 36, video(length)), video(length))
    assert found[0] == [0]
    assert found[1:] == [support_frames(length, t, count, mode) for t in range(1, length)]
    assert set(project.calls.values()) == {1}


def test_a_stream_has_no_later_frames(caplog):
    supports = SupportFrames("uniform_video", 2, 8, None, name="video 5")
    assert supports.mode == "uniform_past" and "video 5" in caplog.text
    assert supports.description == "online, supports uniform_past"
    assert SupportFrames("uniform_video", 2, 8, video(3)).description == "offline, supports uniform_video"
    assert run(supports, video(4))[0] == [[0], [0, 0], [0, 1], [0, 2]]


def test_past_modes_do_not_depend_on_what_comes_later():
    for mode in ("uniform_past", "recent"):
        long, short = (run(SupportFrames(mode, 3, 5, video(n)), video(n))[0] for n in (30, 12))
        assert long[:12] == short


@pytest.mark.parametrize("mode", ["uniform_past", "recent"])
def test_memory_stays_the_same_for_2000_frames(mode):
    supports = SupportFrames(mode, 4, 8)
    sizes, project = [], Projector()
    for t in range(2000):
        own = lambda t=t: project(torch.tensor(float(t)))  # noqa: E731
        supports.supports_of(t, own, project)
        supports.remember(t, own)
        sizes.append(supports.nbytes)
    assert len(set(sizes)) == 1
    assert len(supports._kept.frames) <= 8


def test_an_unknown_mode_names_its_key():
    with pytest.raises(ValueError, match="TEST.SUPPORT is 'nearest'"):
        SupportFrames("nearest", 2, 8)
