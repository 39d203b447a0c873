import pytest

from vis_projects.data.synth.streams import FACTORS, VideoStreams


def test_a_stream_starts_over_each_time():
    streams = VideoStreams("tiny", "val", 0, 3)
    assert streams.of("motion").random() == streams.of("motion").random()


def test_streams_differ_by_every_part_of_the_key():
    firsts = {VideoStreams(*place).of("looks").random()
              for place in (("tiny", "val", 0, 3), ("small", "val", 0, 3), ("tiny", "test", 0, 3),
                            ("tiny", "val", 1, 3), ("tiny", "val", 0, 4))}
    assert len(firsts) == 5
    streams = VideoStreams("tiny", "val", 0, 3)
    assert len({streams.of(factor).random() for factor in FACTORS}) == len(FACTORS)


def test_factor_seeds_change_their_factor_only():
    plain, other = VideoStreams("tiny", "val", 0, 3), VideoStreams("tiny", "val", 0, 3, {"light": 9})
    assert plain.of("light").random() != other.of("light").random()
    assert all(plain.of(f).random() == other.of(f).random() for f in FACTORS if f != "light")


def test_unknown_factor_is_named():
    with pytest.raises(ValueError, match="weather"):
        VideoStreams("tiny", "val", 0, 3, {"weather": 1})
