"""VideoResults: records of the format, round trips and the empty cases."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from vis_projects.layers import rle_encode
from vis_projects.structures import Track, VideoResults

SIZE = {"height": 4, "width": 5}


def rle(*pixels):
    mask = torch.zeros(1, 4, 5, dtype=torch.bool)
    for y, x in pixels:
        mask[0, y, x] = True
    return rle_encode(mask)[0]


def two_tracks():
    first = Track(0, 2, 0.5, {0: rle((1, 1), (2, 3))}, {0: (1.0, 1.0, 4.0, 3.0)}, {0: 0.25})
    second = Track(4, 0, 0.75, {0: rle((0, 0)), 2: rle((3, 4))})
    return VideoResults("clip", length=3, tracks=[first, second], **SIZE)


def test_no_tracks_gives_no_records():
    empty = VideoResults(7, 4, 5, 3)
    assert empty.to_records() == []
    assert empty.frame(0) == []
    assert VideoResults.from_records([], video_id=7, length=3, **SIZE) == empty


def test_records_carry_json_ids_and_none_for_absent_frames():
    records = two_tracks().to_records(category_ids=[7, 40, 1001])
    assert [r["category_id"] for r in records] == [1001, 7]
    assert [r["score"] for r in records] == [0.5, 0.75]
    assert [[m is not None for m in r["segmentations"]] for r in records] == [[True, False, False], [True, False, True]]
    assert isinstance(records[0]["segmentations"][0]["counts"], str)


def test_a_class_beyond_the_category_ids_is_refused():
    with pytest.raises(ValueError, match="class 2"):
        two_tracks().to_records(category_ids=[7, 40])


def test_frame_prefers_the_score_of_the_frame():
    assert [(i, c, s) for i, c, s, _ in two_tracks().frame(0)] == [(0, 2, 0.25), (4, 0, 0.75)]
    assert two_tracks().frame(1) == []


def test_from_records_keeps_only_its_video_and_numbers_tracks():
    records = [{**r, "video_id": 3} for r in two_tracks().to_records([7, 40, 1001])]
    records.insert(1, {**records[0], "video_id": 4})
    results = VideoResults.from_records(records, video_id=3, length=3, contiguous={7: 0, 40: 1, 1001: 2}, **SIZE)
    assert [(t.track_id, t.category_id) for t in results.tracks] == [(0, 2), (1, 0)]
    # pixels (1, 1) and (2, 3): x from 1 to 3 + 1, y from 1 to 2 + 1
    assert results.tracks[0].boxes == {0: (1.0, 1.0, 4.0, 3.0)}
    assert sorted(results.tracks[1].segmentations) == [0, 2]


def test_from_records_reads_plain_counts_and_skips_blank_masks():
    blank, plain = {"size": [4, 5], "counts": [20]}, {"size": [4, 5], "counts": [19, 1]}
    record = {"video_id": 3, "category_id": 1, "score": 1, "segmentations": [blank, plain, None]}
    results = VideoResults.from_records([record], video_id=3, length=3, **SIZE)
    assert results.tracks[0].segmentations == {1: rle((3, 4))}


def test_from_records_names_short_lists_and_unknown_categories():
    record = {"video_id": 3, "category_id": 8, "score": 1.0, "segmentations": [None]}
    with pytest.raises(ValueError, match="category id 8"):
        VideoResults.from_records([record], video_id=3, length=1, contiguous={7: 0}, **SIZE)
    with pytest.raises(ValueError, match="1 segmentations, the video has 2"):
        VideoResults.from_records([record], video_id=3, length=2, **SIZE)


def test_save_and_load_give_the_same_results(tmp_path):
    path = tmp_path / "out.json"
    two_tracks().save(path)
    assert VideoResults.load(path) == two_tracks()
    offline = VideoResults(1, 4, 5, 2, inference_mode="offline")
    offline.save(path)
    assert VideoResults.load(path) == offline and offline != VideoResults(1, 4, 5, 2)


def test_load_names_a_file_of_another_kind(tmp_path):
    path = tmp_path / "out.json"
    path.write_text("[]")
    with pytest.raises(ValueError, match="out.json"):
        VideoResults.load(path)
    path.write_text("{")
    with pytest.raises(ValueError, match="out.json"):
        VideoResults.load(path)


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(0, 4), st.integers(1, 5))
def test_records_round_trip(seed, num_tracks, length):
    rng = np.random.default_rng(seed)
    tracks = []
    for k in range(num_tracks):
        masks = torch.from_numpy(rng.random((length, 4, 5)) < 0.4)
        present = [t for t in range(length) if masks[t].any()]
        encoded = rle_encode(masks)
        tracks.append(Track(k, int(rng.integers(3)), float(rng.random()), {t: encoded[t] for t in present}))
    results = VideoResults(1, length=length, tracks=tracks, **SIZE)
    back = VideoResults.from_records(results.to_records(), video_id=1, length=length, **SIZE)
    assert back.to_records() == results.to_records()
