"""Which past frames are kept, and which of them support a frame."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vis_projects.data.support_sampler import support_frames
from vis_projects.methods.compfeat.kept_frames import KeptFrames


def chosen_frames(kept: KeptFrames) -> list[int]:
    frame_in = {slot: frame for frame, slot in kept._slots.items()}
    return [frame_in[slot] for slot in kept.choose()]


def test_before_the_first_frame_there_is_nothing():
    assert KeptFrames("recent", 4, 9).choose() == [] and KeptFrames("recent", 4, 9).frames == []


@pytest.mark.parametrize("mode", ["uniform_past", "recent"])
def test_up_to_its_capacity_it_is_the_rule_of_the_sampler(mode):
    kept = KeptFrames(mode, 4, 20)
    for t in range(20):
        if t > 0:
            assert chosen_frames(kept) == support_frames(100, t, 4, mode)
        kept.keep(t)


def test_recent_is_a_ring():
    kept, slots = KeptFrames("recent", 3, 36), []
    for t in range(6):
        slots.append(kept.keep(t))
    assert slots == [0, 1, 2, 0, 1, 2] and kept.frames == [3, 4, 5]


def test_a_long_past_is_thinned_out():
    kept, slots = KeptFrames("uniform_past", 2, 4), []
    for t in range(9):
        slots.append(kept.keep(t))
    # full at 4: 1 and 3 go, 4 takes the slot of 1; 5 is odd; 6 takes that of 3; full at 8: 2 and 6 go
    assert slots == [0, 1, 2, 3, 1, None, 3, None, 2]
    assert kept.frames == [0, 4, 8]
    # candidates 0, 4, 8, two of them: floor((k + 1/2) 3 / 2) = 0, 2
    assert chosen_frames(kept) == [0, 8]


@given(st.sampled_from(["uniform_past", "recent"]), st.integers(1, 5), st.integers(0, 7), st.integers(1, 120))
def test_slots_are_bounded_and_frames_evenly_spread(mode, count, more, length):
    kept = KeptFrames(mode, count, count + more)
    for t in range(length):
        slot = kept.keep(t)
        assert slot is None or 0 <= slot < kept.capacity
        assert len(set(kept._slots.values())) == len(kept.frames) <= kept.capacity
        gaps = {b - a for a, b in zip(kept.frames, kept.frames[1:])}
        assert len(gaps) <= 1 and all(frame <= t for frame in kept.frames)
        assert len(kept.choose()) == count and set(kept.choose()) <= set(kept._slots.values())
    if mode == "recent":
        assert kept.frames == list(range(max(0, length - count), length))
    else:
        # at least half of the slots stay in use, the last frame kept is near
        assert kept.frames[0] == 0 and length - 1 - kept.frames[-1] < max(kept._stride, 1)


@pytest.mark.parametrize("wrong, key", [(("uniform", 2, 4), "recent"), (("recent", 0, 4), "NUM_SUPPORT"),
                                        (("uniform_past", 4, 3), "CACHE_FRAMES")])
def test_wrong_settings_name_their_key(wrong, key):
    with pytest.raises(ValueError, match=key):
        KeptFrames(*wrong)
