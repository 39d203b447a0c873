"""LazyFrames: indexing and iterating agree, little is decoded ahead, errors reach the consumer."""

import pickle
import threading

import pytest
import torch
from tests.toy_ytvis import write_toy_ytvis

from vis_projects.data import lazy_frames
from vis_projects.data.errors import DatasetError
from vis_projects.data.frame_transform import FrameTransform
from vis_projects.data.lazy_frames import PREFETCH_FRAMES, LazyFrames


@pytest.fixture
def frames(tmp_path):
    _, root = write_toy_ytvis(tmp_path, videos=1, frames=12)
    names = [f"{root}/video0/{t:05d}.jpg" for t in range(12)]
    return LazyFrames(names, FrameTransform(24, 100), video_id=1, size=(48, 64))


def test_no_frames():
    assert len(LazyFrames([], FrameTransform(24, 100))) == 0
    assert list(LazyFrames([], FrameTransform(24, 100))) == []


def test_iterating_equals_indexing(frames):
    assert len(frames) == 12
    for t, frame in enumerate(frames):
        assert frame.dtype == torch.uint8 and tuple(frame.shape) == (3, 24, 32)
        assert torch.equal(frame, frames[t])
    assert t == 11
    assert torch.equal(frames[-1], frames[11])
    with pytest.raises(IndexError):
        frames[12]


def test_slices_stay_lazy(frames):
    part = frames[2:8:3]
    assert isinstance(part, LazyFrames) and len(part) == 2
    assert torch.equal(part[1], frames[5])


def test_only_a_few_frames_are_decoded_ahead(frames, monkeypatch):
    decoded = []
    read = lazy_frames.read_frame
    monkeypatch.setattr(lazy_frames, "read_frame", lambda path, *a, **k: decoded.append(path) or read(path, *a, **k))
    iterator = iter(frames)
    assert decoded == []
    next(iterator)
    next(iterator)
    iterator.close()
    # two frames were handed out, at most PREFETCH_FRAMES more were under way
    assert 2 <= len(decoded) <= 2 + PREFETCH_FRAMES


def test_closing_early_ends_the_thread(frames):
    iterator = iter(frames)
    next(iterator)
    iterator.close()
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("frames")]


def test_a_missing_frame_reaches_the_consumer_after_the_good_ones(frames):
    frames.file_names[3] = frames.file_names[3] + ".gone"
    seen = []
    with pytest.raises(DatasetError, match="video 1.*00003.jpg.gone"):
        for frame in frames:
            seen.append(frame)
    assert len(seen) == 3


def test_it_can_be_sent_to_another_process(frames):
    copy = pickle.loads(pickle.dumps(frames))
    assert torch.equal(copy[4], frames[4])
