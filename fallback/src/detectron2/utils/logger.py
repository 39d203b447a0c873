"""Set-up of logging, messages that are logged only now and then, and small tables."""

import atexit
import functools
import logging
import os
import sys
import time
from collections import Counter

import torch
from tabulate import tabulate
from termcolor import colored

from detectron2.utils.file_io import PathManager

__all__ = ["setup_logger", "log_first_n", "log_every_n", "log_every_n_seconds"]

_DATE_FORMAT = "%m/%d %H:%M:%S"
_counts = Counter()
_last_times = {}


class _ColorfulFormatter(logging.Formatter):
    """Puts a coloured level in front of warnings and errors, and shortens the name of the root logger."""

    def __init__(self, *args, root_name, abbrev_name, **kwargs):
        super().__init__(*args, **kwargs)
        self._root = root_name + "."
        self._short = abbrev_name + "." if abbrev_name else ""

    def formatMessage(self, record):
        record.name = record.name.replace(self._root, self._short)
        text = super().formatMessage(record)
        if record.levelno == logging.WARNING:
            return colored("WARNING", "red", attrs=["blink"]) + " " + text
        if record.levelno in (logging.ERROR, logging.CRITICAL):
            return colored("ERROR", "red", attrs=["blink", "underline"]) + " " + text
        return text


@functools.lru_cache  # a second call must not add the handlers again
def setup_logger(
    output=None, distributed_rank=0, *, color=True, name="detectron2", abbrev_name=None,
    enable_propagation: bool = False, configure_stdout: bool = True,
):
    """Let a logger write to the standard output (rank 0 only) and to a file.

    Args:
        output: None, a file (ends with .txt or .log), or a folder for log.txt; other ranks append ".rank<n>".
        distributed_rank: number of this process.
        color: colour the standard output.
        name: name of the logger.
        abbrev_name: what replaces the name in front of its children; None is "d2" for detectron2, else the name itself.
        enable_propagation: also pass messages to the parent loggers.
        configure_stdout: write to the standard output at all.

    Returns:
        logging.Logger at level DEBUG.
    """
    logger = logging.getLogger(name)
    logger.setLevel(logging.DEBUG)
    logger.propagate = enable_propagation
    if abbrev_name is None:
        abbrev_name = "d2" if name == "detectron2" else name
    plain = logging.Formatter("[%(asctime)s] %(name)s %(levelname)s: %(message)s", datefmt=_DATE_FORMAT)
    if configure_stdout and distributed_rank == 0:
        head = colored("[%(asctime)s %(name)s]: ", "green")
        colorful = _ColorfulFormatter(
            head + "%(message)s", datefmt=_DATE_FORMAT, root_name=name, abbrev_name=str(abbrev_name)
        )
        _add_handler(logger, sys.stdout, colorful if color else plain)
    if output is not None:
        filename = output if output.endswith((".txt", ".log")) else os.path.join(output, "log.txt")
        if distributed_rank > 0:
            filename = f"{filename}.rank{distributed_rank}"
        PathManager.mkdirs(os.path.dirname(filename))
        _add_handler(logger, _shared_stream(filename), plain)
    return logger


def _add_handler(logger, stream, formatter) -> None:
    handler = logging.StreamHandler(stream)
    handler.setLevel(logging.DEBUG)
    handler.setFormatter(formatter)
    logger.addHandler(handler)


@functools.lru_cache  # several loggers may write to one file
def _shared_stream(filename):
    stream = PathManager.open(filename, "a")
    atexit.register(stream.close)
    return stream


def _find_caller() -> tuple[str, tuple]:
    """Return the module that called into this file, and a key of the very line."""
    frame = sys._getframe(1)
    while frame.f_code.co_filename == __file__ and frame.f_back is not None:
        frame = frame.f_back
    module = frame.f_globals.get("__name__", "__main__")
    code = frame.f_code
    return "detectron2" if module == "__main__" else module, (code.co_filename, frame.f_lineno, code.co_name)


def log_first_n(lvl, msg, n=1, *, name=None, key="caller"):
    """Log only the first n times.

    Args:
        lvl: level, as in ``logging``.
        msg: text.
        n: number of times.
        name: logger; by default the module of the caller.
        key: what counts as the same: "caller" (line of code), "message", or a tuple of both.
    """
    keys = (key,) if isinstance(key, str) else key
    assert len(keys) > 0, "key must name 'caller' or 'message'"
    module, line = _find_caller()
    same = (line if "caller" in keys else ()) + ((msg,) if "message" in keys else ())
    _counts[same] += 1
    if _counts[same] <= n:
        logging.getLogger(name or module).log(lvl, msg)


def log_every_n(lvl, msg, n=1, *, name=None):
    """Log the first of every n calls from one line of code."""
    module, line = _find_caller()
    _counts[line] += 1
    if (_counts[line] - 1) % n == 0:
        logging.getLogger(name or module).log(lvl, msg)


def log_every_n_seconds(lvl, msg, n=1, *, name=None):
    """Log at most once in n seconds from one line of code."""
    module, line = _find_caller()
    now = time.time()
    last = _last_times.get(line)
    if last is None or now - last >= n:
        logging.getLogger(name or module).log(lvl, msg)
        _last_times[line] = now


def create_small_table(small_dict):
    """Return a table of one row, with the keys of the dict as its head; for a few items only."""
    head, row = zip(*small_dict.items())
    return tabulate([row], headers=head, tablefmt="pipe", floatfmt=".3f", stralign="center", numalign="center")


def _log_api_usage(identifier: str):
    """Tell torch's usage log that a part of this package is used."""
    torch._C._log_api_usage_once("detectron2." + identifier)
