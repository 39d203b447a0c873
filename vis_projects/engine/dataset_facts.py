"""What the data sets of a config say about the model (classes, identities), and errors when they are not there."""

import difflib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from detectron2.data import DatasetCatalog, MetadataCatalog

from vis_projects.data import DatasetError, verify_images_exist
from vis_projects.engine.errors import ConfigError, DataError, last_line
from vis_projects.utils.hashing import sha256_of

_HOW_TO_GET = (
    "Put the data set there, or set the environment variable DETECTRON2_DATASETS to the folder that holds it, or name "
    "the right place in register_ytvis(name, json_file, image_root)."
)


@dataclass(frozen=True)
class DatasetFacts:
    """A registered data set as its own file describes it.

    Attributes:
        name: in the catalog.
        class_names: by contiguous class index.
        num_identities: annotated objects, 0 where the set has no video annotations.
    """

    name: str
    class_names: tuple[str, ...]
    num_identities: int


def check_present(names: Sequence[str]) -> None:
    """Looks for the files of each data set without reading them.

    Raises:
        ConfigError: an unregistered name, naming close ones.
        DataError: the first missing file, with where it should be and how to get it.
    """
    for name in names:
        if name not in DatasetCatalog.list():
            close = difflib.get_close_matches(name, DatasetCatalog.list(), n=3, cutoff=0.5)
            hint = f"; close ones: {', '.join(close)}" if close else ""
            raise ConfigError(f"DATASETS names {name!r}, which is not registered{hint}. register_ytvis adds your own")
        metadata = MetadataCatalog.get(name)
        for path, kind in ((metadata.get("json_file"), "file"), (metadata.get("image_root"), "folder")):
            if path and not Path(path).exists():
                how = metadata.get("how_to_get") or _HOW_TO_GET
                raise DataError(f"data set {name}: the {kind} {path} is missing. {how}")


def read_facts(name: str) -> DatasetFacts:
    """Says what a registered data set holds; loads it, and looks for its frames, unless that was done before.

    Raises:
        DataError: files are missing or their content is broken.
    """
    check_present([name])
    metadata = MetadataCatalog.get(name)
    if not metadata.get("thing_classes"):
        try:
            records = DatasetCatalog.get(name)
            verify_images_exist(records)
        except (FileNotFoundError, DatasetError) as error:
            raise DataError(f"data set {name}: {last_line(error)}") from error
        if not records:
            raise DataError(f"data set {name}: {metadata.get('json_file')} holds no video")
    return DatasetFacts(name, tuple(metadata.get("thing_classes") or ()), int(metadata.get("num_identities") or 0))


def check_same_classes(class_names: Sequence[str], tested: Sequence[DatasetFacts]) -> None:
    """Sees to it that the model's classes are those of each set that it is evaluated on.

    Raises:
        ConfigError: a set has other names or another order.
    """
    for fact in tested:
        if fact.class_names != tuple(class_names):
            raise ConfigError(
                f"the model has {len(class_names)} classes {_short(class_names)}, but {fact.name} of DATASETS.TEST has "
                f"{len(fact.class_names)} {_short(fact.class_names)}; evaluate on a set with the same categories, or "
                "list the shared ones in DATASETS.CLASS_SUBSET"
            )


def file_sha256(path: str | Path) -> str:
    """Hash of a file's bytes, "" if there is none."""
    if not path or not Path(path).is_file():
        return ""
    with open(path, "rb") as file:
        return sha256_of(file)


def _short(names: Sequence[str]) -> str:
    return "(" + ", ".join(names[:3]) + (", ..." if len(names) > 3 else "") + ")"
