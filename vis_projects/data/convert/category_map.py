"""Names and ids of the classes of a source, from itself or from a file that the user gives."""

import os
from collections.abc import Iterable, Mapping, Sequence

from vis_projects.data.convert.files import source_error
from vis_projects.data.faults import json_faults
from vis_projects.data.ytvis_json import read_ytvis_json

CLASS_KEY = "mots_class"  # of a category: the number that stands for it in MOTS files
FORMS = (
    'give a list of names, {"name": id, ...}, a json with "categories" (such as any YouTube-VIS or COCO json), or '
    '{"video": {"1": "name", ...}, ...} for the objects of DAVIS videos'
)
ANY_VIDEO = {"id": 1, "height": 1, "width": 1, "file_names": ["any"]}


class CategoryMap:
    """The classes of one source.

    Attributes:
        records: `id`, `name` and `supercategory` of each.
        where: file that they come from, for errors.
        objects: class name by object number (as text) by video, for sources that number objects only.
    """

    def __init__(self, records: Sequence[Mapping], where: str, objects: Mapping[str, Mapping[str, str]] | None = None):
        """
        Raises:
            DatasetError: an id or a name is missing, of a wrong type or used twice.
        """
        for fault in json_faults({"videos": [ANY_VIDEO], "categories": list(records)}):
            raise source_error(where, fault.field, fault.message, fault.remedy)
        self.records = [{"supercategory": "object", **{key: value for key, value in record.items() if key != CLASS_KEY}}
                        for record in records]
        self.where = where
        self.objects = objects or {}
        self._ids = {record["name"]: record["id"] for record in self.records}
        numbered = [record for record in records if CLASS_KEY in record]
        self._classes = {record.get(CLASS_KEY, record["id"]): record["id"] for record in (numbered or records)}

    @classmethod
    def from_names(cls, names: Iterable[str], where: str) -> "CategoryMap":
        """Ids 1, 2, ... in the given order."""
        return cls([{"id": number, "name": name} for number, name in enumerate(names, 1)], where)

    @classmethod
    def from_file(cls, path: str) -> "CategoryMap":
        """Reads the forms that `FORMS` names; names without ids get 1, 2, ... in the order of the file.

        Raises:
            FileNotFoundError: the file is not there.
            DatasetError: it is not json, or of another form.
        """
        data = read_ytvis_json(path)
        objects = None
        if isinstance(data, Mapping) and "categories" in data:
            data, objects = data["categories"], data.get("objects")
        elif isinstance(data, Mapping) and data and all(isinstance(value, Mapping) for value in data.values()):
            data, objects = None, data
        if objects is not None:
            _check_objects(objects, path)
        if data is None:
            names = {name for video in objects.values() for name in video.values()}
            return cls([{"id": number, "name": name} for number, name in enumerate(sorted(names), 1)], path, objects)
        if isinstance(data, Mapping):
            data = [{"id": number, "name": name} for name, number in data.items()]
        if isinstance(data, list) and all(isinstance(name, str) for name in data):
            data = [{"id": number, "name": name} for number, name in enumerate(data, 1)]
        if not isinstance(data, list):
            raise source_error(path, "categories", f"is a {type(data).__name__}", FORMS)
        return cls(data, path, objects)

    @property
    def names(self) -> list[str]:
        """Names in the order of the records."""
        return [record["name"] for record in self.records]

    def id_of(self, name: str, path: str | os.PathLike, field: str) -> int:
        """Category id of a name.

        Args:
            name: as the source spells it.
            path, field: where it was seen, for the error.

        Raises:
            DatasetError: the name is unknown.
        """
        if name not in self._ids:
            raise source_error(path, field, f"is {name!r}, {self.where} has {', '.join(self.names)}",
                               "add the class there, or correct the label")
        return self._ids[name]

    def id_of_class(self, number: int, path: str | os.PathLike, field: str) -> int:
        """Category id of the number that stands for a class in MOTS files.

        Raises:
            DatasetError: the number is unknown.
        """
        if number not in self._classes:
            raise source_error(path, field, f"has class {number}, {self.where} has {sorted(self._classes)}",
                               "give a json with the names of all classes and their numbers as --categories")
        return self._classes[number]

    def id_of_object(self, video: str, number: int, path: str | os.PathLike) -> int:
        """Category id of an object that the source only numbers; a single class needs no `objects`.

        Raises:
            DatasetError: nothing says of which class the object is.
        """
        name = self.objects.get(video, {}).get(str(number))
        if name is None and not self.objects and len(self.records) == 1:
            return self.records[0]["id"]
        if name is None:
            raise source_error(path, f"object {number} of video {video!r}", f"has no class in {self.where}",
                               f'add "objects": {{"{video}": {{"{number}": "name of its class"}}}} there')
        return self.id_of(name, self.where, f"objects.{video}.{number}")


def _check_objects(objects: object, path: str) -> None:
    if not isinstance(objects, Mapping):
        raise source_error(path, "objects", f"is a {type(objects).__name__}", FORMS)
    for video, names in objects.items():
        if not isinstance(names, Mapping) or not all(isinstance(name, str) and name for name in names.values()):
            raise source_error(path, f"objects.{video}", f"is {names!r:.60}", FORMS)
