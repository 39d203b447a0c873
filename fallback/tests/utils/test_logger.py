"""setup_logger, repeated messages, small tables."""

import logging
import re

import pytest

from detectron2.utils.logger import (
    create_small_table,
    log_every_n,
    log_every_n_seconds,
    log_first_n,
    setup_logger,
)


@pytest.fixture
def messages():
    class Keep(logging.Handler):
        def emit(self, record):
            texts.append(record.getMessage())

    texts, handler, logger = [], Keep(), logging.getLogger("messages")
    logger.addHandler(handler)
    logger.setLevel(logging.DEBUG)
    yield texts
    logger.removeHandler(handler)


def _without_time(text):
    return re.sub(r"\d\d/\d\d \d\d:\d\d:\d\d", "TIME", text)


def test_writes_to_a_folder_and_only_once(tmp_path):
    logger = setup_logger(str(tmp_path), name="to_folder", configure_stdout=False)
    assert setup_logger(str(tmp_path), name="to_folder", configure_stdout=False) is logger
    logger.info("hello")
    logging.getLogger("to_folder.child").error("bad")
    text = _without_time((tmp_path / "log.txt").read_text())
    assert text == "[TIME] to_folder INFO: hello\n[TIME] to_folder.child ERROR: bad\n"


def test_other_ranks_have_their_own_file_and_no_output(tmp_path, capsys):
    logger = setup_logger(str(tmp_path / "a.txt"), distributed_rank=2, name="of_rank_two")
    logger.warning("hello")
    assert [path.name for path in tmp_path.iterdir()] == ["a.txt.rank2"]
    assert capsys.readouterr().out == ""


def test_standard_output_shortens_names_and_marks_levels(capsys, monkeypatch):
    monkeypatch.setenv("NO_COLOR", "1")
    logger = setup_logger(name="long_name", abbrev_name="ln")
    logger.info("hello")
    logger.warning("careful")
    logging.getLogger("long_name.child").error("bad")
    text = _without_time(capsys.readouterr().out)
    assert text == "[TIME long_name]: hello\nWARNING [TIME long_name]: careful\nERROR [TIME ln.child]: bad\n"


def test_levels_and_propagation(tmp_path):
    quiet = setup_logger(name="quiet", configure_stdout=False)
    assert quiet.level == logging.DEBUG and quiet.propagate is False and quiet.handlers == []
    assert setup_logger(name="loud", configure_stdout=False, enable_propagation=True).propagate is True


def test_first_n_by_line(messages):
    for index in range(5):
        log_first_n(logging.WARNING, f"m{index}", 2, name="messages")
    assert messages == ["m0", "m1"]


def test_first_n_by_message(messages):
    for index in range(6):
        log_first_n(logging.WARNING, f"m{index % 2}", name="messages", key="message")
    assert messages == ["m0", "m1"]


def test_every_n(messages):
    for index in range(8):
        log_every_n(logging.INFO, f"m{index}", 3, name="messages")
    assert messages == ["m0", "m3", "m6"]


def test_every_n_seconds(messages):
    for index in range(3):
        log_every_n_seconds(logging.INFO, f"m{index}", 1000, name="messages")
    assert messages == ["m0"]


def test_small_table():
    assert create_small_table({"a": 1.5, "bb": 2}) == "|   a   |  bb  |\n|:-----:|:----:|\n| 1.500 |  2   |"
