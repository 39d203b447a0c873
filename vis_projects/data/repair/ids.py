"""Integer ids out of what a json has for them."""

from collections import Counter
from collections.abc import Mapping, Sequence

from vis_projects.data.faults import is_int, short
from vis_projects.data.repair.log import RepairLog


def as_int(value: object) -> int | None:
    """The integer that an integer, 7.0 or "7" stands for; None for everything else."""
    if is_int(value):
        return value
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, str) and value.strip().isascii() and value.strip().isdigit():
        return int(value)
    return None


class IdMap:
    """Finds the new id of a record by what others call it."""

    def __init__(self, names: Mapping[str, int], ids: Sequence[int]) -> None:
        self._names, self._ids = dict(names), frozenset(ids)

    def find(self, value: object) -> int | None:
        """The id that a reference means, None where it means none."""
        if isinstance(value, str) and value in self._names:
            return self._names[value]
        number = as_int(value)
        return number if number in self._ids else None


def repair_ids(records: Sequence[object], key: str, log: RepairLog) -> tuple[list[object], IdMap]:
    """Gives records integer ids: the number that the id stands for, else the next free one.

    An id that two records have stays as it is: nobody can tell which of them is meant.

    Args:
        records: of the list `key`; those that are no objects stay.
        key: name of the list, for the log.
        log: takes the repairs.

    Returns:
        the records, and the way from the ids of before to those of now.
    """
    olds = [record.get("id") if isinstance(record, Mapping) else None for record in records]
    numbers, texts = list(map(as_int, olds)), Counter(old for old in olds if isinstance(old, str))
    twice = {number for number, count in Counter(numbers).items() if count > 1 and number is not None}
    free = max((number for number in numbers if number is not None), default=0) + 1
    repaired, names = [], {}
    for index, (record, old, number) in enumerate(zip(records, olds, numbers)):
        is_shared = number in twice or (isinstance(old, str) and texts[old] > 1)
        if not isinstance(record, Mapping) or is_shared or is_int(old):
            repaired.append(record)
            continue
        if number is None:
            number, free = free, free + 1
        if isinstance(old, str):
            names[old] = number
        log.add(f"{key}[{index}].id", f"{short(old)} became {number}")
        repaired.append({**record, "id": number})
    return repaired, IdMap(names, [r["id"] for r in repaired if isinstance(r, Mapping) and is_int(r.get("id"))])
