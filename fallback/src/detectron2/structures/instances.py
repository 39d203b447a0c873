"""``Instances``: the objects of one image as named fields of equal length."""

import itertools

import torch


class Instances:
    """Fields such as ``gt_boxes`` or ``scores`` of the N objects of one image.

    Public attributes are the fields: ``instances.scores = tensor`` adds one, ``instances.scores`` reads it. Names with
    a leading underscore are ordinary attributes. Every field has ``len()`` N. Indexing applies to each field.
    """

    def __init__(self, image_size: tuple[int, int], **kwargs):
        """Args:
            image_size: (height, width) in pixels of the image that the fields refer to.
            kwargs: fields.
        """
        self._image_size = image_size
        self._fields = {}
        for name, value in kwargs.items():
            self.set(name, value)

    @property
    def image_size(self) -> tuple[int, int]:
        """(height, width) in pixels."""
        return self._image_size

    def __setattr__(self, name: str, val) -> None:
        if name.startswith("_"):
            object.__setattr__(self, name, val)
            return
        self.set(name, val)

    def __getattr__(self, name: str):
        # Reached only when ordinary lookup failed; copy and pickle ask before _fields exists.
        fields = self.__dict__.get("_fields", {})
        if name not in fields:
            raise AttributeError(f"these Instances have no field '{name}'; they have {sorted(fields)}")
        return fields[name]

    def set(self, name: str, value) -> None:
        """Set a field; AssertionError when its length differs from that of the fields that exist."""
        length = len(value)
        if self._fields:
            assert len(self) == length, f"field '{name}' has length {length}, the other fields have {len(self)}"
        self._fields[name] = value

    def get(self, name: str):
        """Return a field; KeyError when it is missing."""
        return self._fields[name]

    def has(self, name: str) -> bool:
        """Whether the field exists."""
        return name in self._fields

    def remove(self, name: str) -> None:
        """Delete a field; KeyError when it is missing."""
        del self._fields[name]

    def get_fields(self) -> dict:
        """Return the dict of fields itself; changing it changes the instances."""
        return self._fields

    def to(self, *args, **kwargs) -> "Instances":
        """Return new Instances whose fields were passed through their own ``to``, where they have one."""
        moved = {
            name: value.to(*args, **kwargs) if hasattr(value, "to") else value for name, value in self._fields.items()
        }
        return self._with(moved)

    def __getitem__(self, item) -> "Instances":
        """Select rows by an int (one row, IndexError outside), a slice, or what every field accepts as an index."""
        if type(item) is int:
            count = len(self)
            if not -count <= item < count:
                raise IndexError(f"index {item} is outside of {count} instances")
            item %= count
            item = slice(item, item + 1)
        return self._with({name: value[item] for name, value in self._fields.items()})

    def _with(self, fields: dict) -> "Instances":
        result = Instances(self._image_size)
        for name, value in fields.items():
            result.set(name, value)
        return result

    def __len__(self) -> int:
        for value in self._fields.values():
            # Not len(): a tensor answers with its own error for a scalar.
            return value.__len__()
        raise NotImplementedError("Instances without fields have no length")

    def __iter__(self):
        raise NotImplementedError("Instances cannot be iterated over; index them, or iterate over a field")

    @staticmethod
    def cat(instance_lists: list["Instances"]) -> "Instances":
        """Concatenate; the fields are those of the first item.

        A field must be tensors, lists, or a type with its own ``cat``. One item is returned itself.

        Raises:
            AssertionError: nothing to concatenate, other types, or different image sizes.
            KeyError: a later item lacks a field. ValueError: a field of a type that cannot be concatenated.
        """
        assert all(isinstance(item, Instances) for item in instance_lists), "expected Instances only"
        assert len(instance_lists) > 0, "expected at least one item"
        first = instance_lists[0]
        if len(instance_lists) == 1:
            return first
        for item in instance_lists:
            assert item.image_size == first.image_size, f"image sizes differ: {first.image_size} and {item.image_size}"
        merged = Instances(first.image_size)
        for name in first.get_fields():
            merged.set(name, _concatenate([item.get(name) for item in instance_lists]))
        return merged

    def __str__(self) -> str:
        fields = ", ".join(f"{name}: {value}" for name, value in self._fields.items())
        height, width = self._image_size
        return (
            f"{type(self).__name__}(num_instances={len(self)}, image_height={height}, image_width={width}, "
            f"fields=[{fields}])"
        )

    __repr__ = __str__


def _concatenate(values: list):
    kind = type(values[0])
    if isinstance(values[0], torch.Tensor):
        return torch.cat(values, dim=0)
    if isinstance(values[0], list):
        return list(itertools.chain.from_iterable(values))
    if hasattr(kind, "cat"):
        return kind.cat(values)
    raise ValueError(f"a field of type {kind.__name__} cannot be concatenated")
