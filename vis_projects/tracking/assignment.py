"""From a table of matching scores to one decision per detection."""

import numpy as np

NEW_TRACK = 0


def assign_best(scores: np.ndarray, priority: np.ndarray | None = None) -> np.ndarray:
    """Each detection takes its best column; of those that want one track, the best score wins.

    Rows do not wait for each other: a row that loses a conflict gets nothing, not its second
    choice and not a new track. Any number of rows may start new tracks. On equal scores the lowest
    column, and in a conflict the lowest row, wins.

    Args:
        scores: (n, 1 + m) float; column ``NEW_TRACK`` is "new object", column 1 + k is track k.
        priority: (n,) float, what decides a conflict (the highest wins); None: the score of the wanted track.

    Returns:
        (n,) int64: the column of each row, or -1 for a row that lost its track to another one.

    Raises:
        FloatingPointError: a score is not a finite number.
    """
    scores = np.asarray(scores)
    if not np.isfinite(scores).all():
        rows = sorted(set(np.nonzero(~np.isfinite(scores))[0].tolist()))
        raise FloatingPointError(
            f"the matching scores of detections {rows} are not finite: the weights or the input "
            "hold inf or nan; check the checkpoint, and TEST.VIDEO.AMP if it is on"
        )
    columns = np.full(len(scores), NEW_TRACK, dtype=np.int64)
    if scores.size == 0:
        return columns
    columns[:] = scores.argmax(axis=1)
    best = scores[np.arange(len(scores)), columns] if priority is None else np.asarray(priority)
    winner: dict[int, int] = {}
    for row, column in enumerate(columns.tolist()):
        if column == NEW_TRACK:
            continue
        holder = winner.get(column)
        if holder is None or best[row] > best[holder]:
            winner[column] = row
    for row, column in enumerate(columns.tolist()):
        if column != NEW_TRACK and winner[column] != row:
            columns[row] = -1
    return columns
