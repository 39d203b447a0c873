"""Errors that a user can mend: each is one line with the place, the value seen and the remedy."""

import sys
from collections.abc import Callable
from typing import Any

EXIT_USER_ERROR = 2
EXIT_INTERRUPTED = 130  # what a shell reports after Ctrl-C


class UserError(Exception):
    """Something outside the program is wrong: a config key, a file, a flag. The text is for the user's eyes."""


class ConfigError(UserError):
    """A config file or an override has an unknown key, a wrong type, or values that contradict each other."""


class DataError(UserError):
    """A data set is not there or its file is broken."""


class CheckpointError(UserError):
    """A checkpoint is missing, unsafe, or of another model."""


class VideoError(UserError):
    """A video cannot be read or written."""


def exit_code_of(function: Callable[..., Any], *args: Any) -> int:
    """Runs `function(*args)`; a `UserError` becomes one line on stderr instead of a traceback.

    Returns:
        0, 2 after a `UserError`, 130 after Ctrl-C, or the integer that the function returns.
    """
    try:
        result = function(*args)
    except UserError as error:
        print(f"error: {error}", file=sys.stderr)
        return EXIT_USER_ERROR
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return EXIT_INTERRUPTED
    return result if isinstance(result, int) else 0


def last_line(error: BaseException) -> str:
    """The text of an error on one line; of one that came out of a loader's worker, without the worker's traceback."""
    text = str(error)
    if "Original Traceback" in text:
        text = text.strip().splitlines()[-1].partition(": ")[2]
    return " ".join(text.split())
