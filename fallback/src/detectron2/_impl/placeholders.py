"""Stand-ins for names of the real Detectron2 that the subset leaves out.

A plugin's long import list still imports; whoever calls, subclasses or looks into such a name gets an ImportError
that says where to find it. Use it as the ``__getattr__`` of a module:
``__getattr__ = placeholder_getattr(__name__, ("ASPP", "ROIAlignRotated"))``.
"""

from collections.abc import Callable, Iterable


class Placeholder:
    """One absent name. No object is ever an instance of it."""

    def __init__(self, path: str):
        self._path = path

    def _refuse(self):
        raise ImportError(
            f"{self._path} is not part of the Detectron2 subset that is running; "
            "install the real package (https://github.com/facebookresearch/detectron2) to use it."
        )

    def __call__(self, *args, **kwargs):
        self._refuse()

    def __mro_entries__(self, bases):
        self._refuse()

    def __getattr__(self, name: str):
        # Probes such as copy, pickle, inspect and doctest ask for dunder names and expect AttributeError.
        if name.startswith("__") and name.endswith("__"):
            raise AttributeError(name)
        self._refuse()

    def __instancecheck__(self, instance) -> bool:
        return False

    def __repr__(self) -> str:
        return f"<{self._path}: not in the Detectron2 subset>"


def placeholder_getattr(module: str, names: Iterable[str]) -> Callable[[str], Placeholder]:
    """Return a module-level ``__getattr__`` that knows the given absent names.

    Args:
        module: dotted name of the module, usually ``__name__``.
        names: public names of the real module that the subset lacks.
    """
    absent = {name: Placeholder(f"{module}.{name}") for name in names}

    def lookup(name: str) -> Placeholder:
        if name in absent:
            return absent[name]
        raise AttributeError(f"module {module!r} has no attribute {name!r}")

    return lookup
