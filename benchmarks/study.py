"""A study: which configs are compared, with which overrides and seeds; read from a yaml."""

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

KEYS = {"title", "seeds", "config", "opts", "rows"}
ROW_KEYS = {"name", "config", "opts", "weights_of"}


@dataclass(frozen=True)
class StudyRow:
    """One line of the table.

    Attributes:
        name: what the table calls it.
        config: yaml of the project's `configs`.
        opts: KEY, VALUE, KEY, VALUE, ... as strings in yaml syntax.
        weights_of: name of an earlier row whose trained weights this one evaluates; None: it trains its own.
    """

    name: str
    config: str
    opts: tuple[str, ...]
    weights_of: str | None = None

    @property
    def folder(self) -> str:
        """The name as a folder name."""
        return re.sub(r"[^a-z0-9]+", "_", self.name.lower()).strip("_")


@dataclass(frozen=True)
class Study:
    """A table to be made.

    Attributes:
        title: of the table.
        seeds: every row runs with each of them.
        rows: in the order of the table.
    """

    title: str
    seeds: tuple[int, ...]
    rows: tuple[StudyRow, ...] = field(default_factory=tuple)


def read_study(path: str | Path) -> Study:
    """Reads a study.

    The yaml has `title`, `seeds`, `rows`, and for all rows alike `config` and `opts` (KEY: value), which a row's own
    `config` and `opts` replace. A row also has a `name`, and maybe `weights_of`.

    Raises:
        ValueError: a key is unknown or missing, a name comes twice, or `weights_of` names no earlier row that trains.
    """
    content = yaml.safe_load(Path(path).read_text(encoding="utf-8"))
    _check_keys(content, KEYS, {"title", "seeds", "rows"}, str(path))
    rows: list[StudyRow] = []
    for number, entry in enumerate(content["rows"], 1):
        place = f"{path}: row {number}"
        _check_keys(entry, ROW_KEYS, {"name"}, place)
        config = entry.get("config", content.get("config"))
        if not config:
            raise ValueError(f"{place} has no config, and the study gives none for all rows")
        opts = {**content.get("opts", {}), **entry.get("opts", {})}
        flat = tuple(text for key, value in opts.items() for text in (key, _as_text(value)))
        row = StudyRow(entry["name"], config, flat, entry.get("weights_of"))
        if row.folder in {other.folder for other in rows}:
            raise ValueError(f"{place}: the name {row.name!r} is taken by an earlier row")
        trained = {other.name for other in rows if other.weights_of is None}
        if row.weights_of is not None and row.weights_of not in trained:
            raise ValueError(
                f"{place}: weights_of is {row.weights_of!r}; name one of the earlier rows {sorted(trained)}"
            )
        rows.append(row)
    return Study(content["title"], tuple(content["seeds"]), tuple(rows))


def _check_keys(content: Any, known: set[str], needed: set[str], place: str) -> None:
    if not isinstance(content, dict):
        raise ValueError(f"{place} is {content!r}; it needs the keys {sorted(needed)}")
    unknown, missing = set(content) - known, needed - set(content)
    if unknown or missing:
        raise ValueError(
            f"{place}: unknown keys {sorted(unknown)}, missing keys {sorted(missing)}; known: {sorted(known)}"
        )


def _as_text(value: Any) -> str:
    return value if isinstance(value, str) else str(value)
