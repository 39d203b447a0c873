"""``DatasetCatalog`` (name -> function that loads the data) and ``MetadataCatalog`` (name -> facts about the data)."""

import copy
import logging
import types
from collections import UserDict

__all__ = ["DatasetCatalog", "MetadataCatalog", "Metadata"]


class _DatasetCatalog(UserDict):
    """Maps the name of a data set to a function without arguments that returns its records."""

    def register(self, name, func):
        """Add a data set.

        Args:
            name: its name, not registered yet.
            func: callable that returns a list of dicts; it must return the same list at each call.

        Raises:
            AssertionError: ``func`` is no callable, or the name is taken.
        """
        assert callable(func), f"register({name!r}, ...) needs a function that loads the data, not {func!r}"
        assert name not in self.data, f"data set {name!r} is already registered; remove() it first or use another name"
        self[name] = func

    def get(self, name):
        """Load a data set: call the function registered under the name; KeyError for an unknown name."""
        try:
            load = self[name]
        except KeyError:
            known = ", ".join(map(str, self)) or "none"
            raise KeyError(f"data set {name!r} is not registered; registered are: {known}") from None
        return load()

    def list(self) -> list[str]:
        """Return the registered names."""
        return [*self.data]

    def remove(self, name):
        """Forget a data set; KeyError for an unknown name."""
        del self.data[name]

    def __repr__(self):
        return f"DatasetCatalog(registered datasets: {', '.join(self.data)})"

    __str__ = __repr__


class Metadata(types.SimpleNamespace):
    """Facts about one data set, such as class names. A value can be set once; setting it again to the same is fine."""

    # Exists before any assignment, for messages about a Metadata made by hand.
    name: str = "N/A"

    _RENAMED = {
        "class_names": "thing_classes",
        "dataset_id_to_contiguous_id": "thing_dataset_id_to_contiguous_id",
        "stuff_class_names": "stuff_classes",
    }

    def __getattr__(self, key):
        current = self._current_name(key)
        if current != key:
            return getattr(self, current)
        known = ", ".join(map(str, self.__dict__)) or "nothing"
        raise AttributeError(f"metadata of data set {self.name!r} has no {key!r}; it has: {known}")

    def __setattr__(self, key, val):
        current = self._current_name(key)
        missing = object()
        old = self.__dict__.get(current, missing)
        assert old is missing or old == val, (
            f"metadata {current!r} of data set {self.name!r} is already set to {old!r} and cannot become {val!r}; "
            "register the data under another name, or remove the entry first"
        )
        super().__setattr__(current, val)

    def _current_name(self, key: str) -> str:
        current = type(self)._RENAMED.get(key, key)
        if current != key:
            logging.getLogger(__name__).warning("Metadata key %r is out of date; use %r.", key, current)
        return current

    def as_dict(self):
        """Return all keys and values in a new dict; changing it does not change the metadata."""
        return copy.copy(self.__dict__)

    def set(self, **kwargs):
        """Set several values; returns self."""
        for key, value in kwargs.items():
            setattr(self, key, value)
        return self

    def get(self, key, default=None):
        """Return a value, or the default when it is not set."""
        try:
            return getattr(self, key)
        except AttributeError:
            return default


class _MetadataCatalog(UserDict):
    """Maps the name of a data set to its ``Metadata``."""

    def get(self, name):
        """Return the metadata of a data set; made, with ``name`` set, when first asked for."""
        assert len(name), "the name of a data set must not be empty"
        if name not in self.data:
            self.data[name] = Metadata(name=name)
        return self.data[name]

    def list(self):
        """Return the names that have metadata."""
        return [*self.data]

    def remove(self, name):
        """Forget the metadata of a data set; KeyError for an unknown name."""
        del self.data[name]

    def __repr__(self):
        return f"MetadataCatalog(registered metadata: {', '.join(self.data)})"

    __str__ = __repr__


DatasetCatalog = _DatasetCatalog()
MetadataCatalog = _MetadataCatalog()
