import logging

import pytest

from vis_projects.evaluation.errors import EvaluationInputError
from vis_projects.evaluation.shards import ShardWriter, index_shards, remove_shards, shard_path

SOURCE = {"dataset": "toy", "run_key": "a"}


def write(folder, rank=0, ids=(5, "b"), **kwargs):
    writer = ShardWriter(shard_path(folder, rank), SOURCE, **kwargs)
    for video_id in ids:
        writer.append(video_id, [{"video_id": video_id, "score": 0.5}])
    writer.close()


def test_no_folder_and_no_videos(tmp_path):
    assert index_shards(tmp_path / "none", SOURCE) == []
    write(tmp_path, ids=())
    assert [shard.entries for shard in index_shards(tmp_path, SOURCE)] == [{}]


def test_round_trip_of_two_processes(tmp_path):
    write(tmp_path, 0)
    write(tmp_path, 1, ids=(7,))
    first, second = index_shards(tmp_path, SOURCE)
    assert list(first.entries) == [5, "b"] and list(second.entries) == [7]
    assert first.records("b") == [{"video_id": "b", "score": 0.5}]


def test_a_video_is_on_disk_before_the_shard_is_closed(tmp_path):
    writer = ShardWriter(shard_path(tmp_path, 0), SOURCE)
    writer.append(5, [])
    assert list(index_shards(tmp_path, SOURCE)[0].entries) == [5]
    writer.close()


def test_a_half_written_entry_is_reported_and_replaced(tmp_path, caplog):
    write(tmp_path)
    path = shard_path(tmp_path, 0)
    path.write_bytes(path.read_bytes()[:-9])
    with caplog.at_level(logging.WARNING, logger="vis_projects"):
        index = index_shards(tmp_path, SOURCE)[0]
    assert list(index.entries) == [5] and "half written" in caplog.text
    write(tmp_path, ids=("c",), keep_bytes=index.end)
    assert list(index_shards(tmp_path, SOURCE)[0].entries) == [5, "c"]


def test_a_half_written_first_line_leaves_nothing(tmp_path):
    shard_path(tmp_path, 0).write_bytes(b'{"source": {"data')
    index = index_shards(tmp_path, SOURCE)[0]
    assert (index.entries, index.end) == ({}, 0)


def test_a_broken_entry_in_the_middle_is_refused(tmp_path):
    write(tmp_path)
    path = shard_path(tmp_path, 0)
    path.write_bytes(path.read_bytes().replace(b'{"video_id":5', b'{"vid', 1))
    with pytest.raises(EvaluationInputError, match="rank0.jsonl: the line at byte .* is broken"):
        index_shards(tmp_path, SOURCE)


def test_a_shard_of_another_run_is_refused(tmp_path):
    write(tmp_path)
    with pytest.raises(EvaluationInputError, match="belongs to another run"):
        index_shards(tmp_path, {**SOURCE, "run_key": "b"})


def test_shards_of_more_processes_are_removed(tmp_path):
    for rank in range(3):
        write(tmp_path, rank)
    (tmp_path / "rank-old.jsonl").write_text("")
    remove_shards(tmp_path, from_rank=1)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["rank-old.jsonl", "rank0.jsonl"]
