"""Which videos go to validation: the rule that a split is made by, free of anything that may change between machines.

Only integers, SHA-256 and `random.Random(seed).random` are used, which give the same on every machine, version of
Python and order of the videos in the file. `RULE` numbers the rule; whoever changes what it chooses counts it up.
"""

import hashlib
import logging
import random
from collections import Counter
from collections.abc import Callable, Collection, Hashable, Mapping

logger = logging.getLogger(__name__)

RULE = 1
SHARE = 10**6  # shares are whole parts of this: their sums do not depend on the order of the terms
REPAIR_STEPS = 5000
DRAWN_MOVES = 0.3  # part of the moves of the repair that is drawn: leads out of dead ends

Labels = Mapping[int, Collection[tuple[str, Hashable]]]


def choose_validation(
    labels: Labels, val_fraction: float, seed: int, *, balance: Collection[str] = ("class", "length"),
    sizes: Mapping[int, int] | None = None,
) -> set[int]:
    """Ids of the validation videos.

    The videos stand in the order of SHA-256 of the text `<seed>:<id>`. First, every class whose share is less than one
    video gives one. Then the video whose strata lag most behind their share on average is taken (the first of equals)
    until the fraction is reached. Should a class of two or more videos still be in one half only, single videos change
    sides until none is, where such a split is found.

    Args:
        labels: video id -> its strata, ("class", k) and others.
        val_fraction: part of the videos to choose.
        seed: of the order, an integer.
        balance: kinds of strata whose shares are kept.
        sizes: how many videos an id stands for; None: one.
    """
    order = sorted(labels, key=lambda video: hashlib.sha256(f"{seed}:{video}".encode()).digest())
    sizes = dict.fromkeys(labels, 1) if sizes is None else sizes
    total = sum(sizes.values())
    wanted = min(max(1, round(val_fraction * total)), total - 1)
    state = _Halves(labels)
    _take_rare(state, order, val_fraction)
    taken = sum(sizes[video] for video in state.val)
    while taken < wanted:
        video = _most_behind(state, order, round(val_fraction * SHARE), balance)
        if video is None:
            break
        state.move(video)
        taken += sizes[video]
    if not state.val:
        state.move(order[0])
    return _repair(state, random.Random(seed).random)


class _Halves:
    """Who is in validation, and how often each stratum is there.

    Attributes:
        labels: as of `choose_validation`.
        totals: videos of each stratum.
        bound: classes of two videos or more, which belong in both halves.
        val: ids in validation.
        counts: videos of each stratum in validation.
    """

    def __init__(self, labels: Labels) -> None:
        self.labels = labels
        self.totals = Counter(label for video in labels for label in labels[video])
        self.bound = {label for label, count in self.totals.items() if label[0] == "class" and count >= 2}
        self.val: set[int] = set()
        self.counts: Counter = Counter()

    def move(self, video: int) -> None:
        """Moves a video to the other half."""
        step = -1 if video in self.val else 1
        self.val ^= {video}
        for label in self.labels[video]:
            self.counts[label] += step

    def bound_of(self, video: int) -> list[tuple]:
        """The bound classes of a video."""
        return [label for label in self.labels[video] if label in self.bound]

    def last_in_train(self) -> set[tuple]:
        """Bound classes that leave training with one more video."""
        return {label for label in self.bound if self.counts[label] + 1 >= self.totals[label]}

    def missing(self) -> list[tuple]:
        """Bound classes that are in one half only."""
        return sorted(label for label in self.bound if self.counts[label] in (0, self.totals[label]))

    def damage(self, video: int) -> int:
        """Bound classes that leave a half altogether when this video moves, minus those that enter one."""
        own, in_val = self.bound_of(video), video in self.val
        here = [self.counts[label] if in_val else self.totals[label] - self.counts[label] for label in own]
        return sum(n == 1 for n in here) - sum(n == self.totals[label] for label, n in zip(own, here))


def _take_rare(state: _Halves, order: list[int], val_fraction: float) -> None:
    """One video of each class whose share is below one, rarest first, preferably one that shows several of them."""
    rare = {label for label in state.bound if val_fraction * state.totals[label] < 1}
    for label in sorted(rare, key=lambda name: (state.totals[name], name)):
        if state.counts[label] == 0:
            last = state.last_in_train()
            candidates = [v for v in order if label in state.labels[v] and last.isdisjoint(state.labels[v])]
            if candidates:
                state.move(max(candidates, key=lambda v: sum(
                    state.counts[name] == 0 for name in state.labels[v] if name in rare)))


def _most_behind(state: _Halves, order: list[int], share: int, balance: Collection[str]) -> int | None:
    """The training video whose strata lag most behind their share on average, None where none may leave training.

    Args:
        share: wanted part of each stratum, in whole parts of `SHARE`.
        balance: as of `choose_validation`.
    """
    behind = {label: share - state.counts[label] * SHARE // total for label, total in state.totals.items()
              if label[0] in balance}
    last = state.last_in_train()
    best, best_lag = None, 0
    for video in order:
        if video not in state.val and last.isdisjoint(state.labels[video]):
            own = [behind[label] for label in state.labels[video] if label in behind]
            lag = sum(own) // len(own) if own else 0
            if best is None or lag > best_lag:
                best, best_lag = video, lag
    return best


def _repair(state: _Halves, draw: Callable[[], float]) -> set[int]:
    """Moves videos between the halves until each bound class is in both, by a random walk that prefers good moves."""
    best, best_missing = set(state.val), None
    for _ in range(REPAIR_STEPS):
        missing = state.missing()
        if best_missing is None or len(missing) < len(best_missing):
            best, best_missing = set(state.val), missing
        if not missing:
            break
        label = missing[int(draw() * len(missing))]
        movable = [video for video in sorted(state.labels) if label in state.labels[video]]
        is_drawn = draw() < DRAWN_MOVES
        state.move(movable[int(draw() * len(movable))] if is_drawn else min(movable, key=state.damage))
    if best_missing:
        logger.warning("no split found that shows %d classes in both halves: %s", len(best_missing), best_missing)
    return best
