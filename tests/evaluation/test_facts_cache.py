import logging

import pytest

from tests.evaluation.loaded_world import loaded_world
from tests.evaluation.worlds import bar, found, ground_truth, truth
from vis_projects.evaluation.facts_cache import FactsCache

SOURCE = {"results": "abc", "ground truth": "def"}
FACTS = loaded_world([found([bar(0, 5)] * 4)], ground_truth([truth(1, [bar(0, 4)] * 4)])).facts[1]


def filled(folder, *video_ids):
    cache = FactsCache(folder, SOURCE)
    for video_id in video_ids:
        cache.store(video_id, FACTS)
    cache.close()
    return folder / "rank0.jsonl"


def test_what_was_stored_is_there_again(tmp_path):
    filled(tmp_path, 3, "seven")
    cache = FactsCache(tmp_path, SOURCE)
    assert cache.load(4) is None
    assert cache.load(3).to_json() == cache.load("seven").to_json() == FACTS.to_json()
    cache.store(4, FACTS)
    cache.close(), cache.close()
    again = FactsCache(tmp_path, SOURCE)
    assert all(again.load(k) for k in (3, "seven", 4))


def test_an_empty_one_is_continued(tmp_path):
    filled(tmp_path)
    filled(tmp_path, 1)
    assert FactsCache(tmp_path, SOURCE).load(1)


def test_another_source_is_named_and_replaced(tmp_path, caplog):
    path = filled(tmp_path, 1)
    with caplog.at_level(logging.WARNING, logger="vis_projects"):
        other = FactsCache(tmp_path, {**SOURCE, "results": "xyz"})
    assert other.load(1) is None
    assert str(path) in caplog.text and "another run" in caplog.text and "looked at again" in caplog.text
    other.close()
    assert FactsCache(tmp_path, SOURCE).load(1) is None


@pytest.mark.parametrize("line", [b'{"video_id": 1}\n{]\n', b"[1, 2]\n", b"\xff\n"])
def test_a_broken_one_is_named_and_replaced(tmp_path, caplog, line):
    path = filled(tmp_path, 1)
    path.write_bytes(path.read_bytes() + line)
    with caplog.at_level(logging.WARNING, logger="vis_projects"):
        cache = FactsCache(tmp_path, SOURCE)
    assert cache.load(1) is None and str(path) in caplog.text and "broken" in caplog.text
    cache.store(2, FACTS)
    cache.close()
    assert FactsCache(tmp_path, SOURCE).load(2)


@pytest.mark.parametrize("records", ["[]", "[{}]", '[{"pairs": {"size": [9, 9]}, "tracking": []}]', "[3]"])
def test_an_entry_that_holds_no_facts_is_named_and_its_video_looked_at_again(tmp_path, caplog, records):
    path = filled(tmp_path, 1)
    path.write_bytes(path.read_bytes() + b'{"video_id": 2, "records": ' + records.encode() + b"}\n")
    cache = FactsCache(tmp_path, SOURCE)
    with caplog.at_level(logging.WARNING, logger="vis_projects"):
        assert cache.load(1) and cache.load(2) is None
    assert f"{path}: the entry of video 2 is broken" in caplog.text
    cache.store(2, FACTS)
    cache.close()
    assert FactsCache(tmp_path, SOURCE).load(2), "the later entry counts"


def test_a_half_written_line_loses_its_video_alone(tmp_path, caplog):
    path = filled(tmp_path, 1, 2)
    path.write_bytes(path.read_bytes()[:-20])
    with caplog.at_level(logging.WARNING, logger="vis_projects"):
        cache = FactsCache(tmp_path, SOURCE)
    assert cache.load(1) and cache.load(2) is None and "half written" in caplog.text
    cache.store(2, FACTS)
    cache.close()
    assert FactsCache(tmp_path, SOURCE).load(2).to_json() == FACTS.to_json()
