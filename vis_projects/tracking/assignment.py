"""From a table of matching scores or costs to one decision per detection."""

import numpy as np
from scipy.optimize import linear_sum_assignment

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


def assign_hungarian(cost: np.ndarray, max_cost: float) -> tuple[np.ndarray, np.ndarray]:
    """The one-to-one pairing of least total cost, less the pairs that cost too much.

    Args:
        cost: (n, m) float; inf for a pair that must not be.
        max_cost: pairs above it are no pairs; each counts as a little more than this in the total.

    Returns:
        rows and columns of the pairs, (k,) int64 each, rows ascending.

    Raises:
        FloatingPointError: a cost is nan.
    """
    if np.isnan(cost).any():
        raise FloatingPointError(
            "the matching costs hold nan: the weights or the input hold inf or nan; check the checkpoint, and "
            "TEST.VIDEO.AMP if it is on"
        )
    # not too far above: next to huge numbers the solver would lose the differences of the small ones
    rows, columns = linear_sum_assignment(np.where(cost > max_cost, max_cost + 1e-5, cost))
    good = cost[rows, columns] <= max_cost
    return rows[good].astype(np.int64), columns[good].astype(np.int64)
