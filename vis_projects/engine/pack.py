"""Checks a results file and zips it in the layout of the evaluation servers: what `vis pack` does."""

import os
from pathlib import Path

from vis_projects.engine.errors import DataError
from vis_projects.evaluation import EvaluationInputError, check_results, write_archive


def pack_results(results: str, gt: str, out: str | None = None) -> str:
    """Writes the zip, unless a fault would get it refused.

    Args:
        results: json list of tracks.
        gt: json of the split.
        out: of the zip; None: beside the results, of the same name.

    Returns:
        what was written, after the warnings, as text.

    Raises:
        DataError: a file is missing or broken, or the results have faults; the message lists them.
    """
    for path in (results, gt):
        if not Path(path).is_file():
            raise DataError(f"{path}: no such file")
    try:
        faults = check_results(results, gt)
    except EvaluationInputError as error:
        raise DataError(str(error)) from error
    fatal = [str(fault) for fault in faults if fault.fatal]
    if fatal:
        raise DataError("\n".join([f"{results} has {len(fatal)} faults, nothing was packed:", *fatal]))
    target = Path(out) if out else Path(results).with_suffix(".zip")
    if os.path.abspath(target) == os.path.abspath(results):
        raise DataError(f"--out {out} is the results file itself; give another name")
    target.parent.mkdir(parents=True, exist_ok=True)
    write_archive(Path(results), target)
    return "\n".join([*(f"warning: {fault}" for fault in faults), f"{target}: results.json, ready for upload"])
