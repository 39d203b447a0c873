"""A user's mistake is one line and an exit code."""

from vis_projects.engine.errors import ConfigError, exit_code_of, last_line


def raising(error: BaseException):
    raise error


def test_exit_codes(capsys):
    assert exit_code_of(lambda: None) == 0
    assert exit_code_of(lambda: 1) == 1
    assert exit_code_of(raising, ConfigError("unknown key A.B")) == 2
    assert capsys.readouterr().err == "error: unknown key A.B\n"
    assert exit_code_of(raising, KeyboardInterrupt()) == 130


def test_last_line_of_a_workers_error_is_its_message():
    text = ("Caught DatasetError in DataLoader worker process 0.\nOriginal Traceback (most recent call last):\n"
            "  File \"x.py\", line 1, in f\nvis_projects.data.errors.DatasetError: video 3: frame a: b is missing\n")
    assert last_line(ValueError(text)) == "video 3: frame a: b is missing"
    assert last_line(ValueError("two\nlines")) == "two lines"
