"""Reads pickles of plain containers, numpy arrays and numbers; anything that could run code is refused."""

import pickle

_ALLOWED = {
    ("collections", "OrderedDict"),
    ("_codecs", "encode"),  # how Python 2 pickles carry bytes
    ("numpy", "dtype"),
    ("numpy", "ndarray"),
    *((f"{core}.multiarray", name) for core in ("numpy.core", "numpy._core") for name in ("_reconstruct", "scalar")),
    *((f"{core}.numeric", "_frombuffer") for core in ("numpy.core", "numpy._core")),
}


class ArrayUnpickler(pickle.Unpickler):
    """Unpickler of weights.

    Raises:
        pickle.UnpicklingError: naming the first class or function that is not one of an array file.
    """

    def find_class(self, module, name):
        if (module, name) not in _ALLOWED:
            raise pickle.UnpicklingError(
                f"the file asks for {module}.{name}; only arrays, numbers and containers are read from a .pkl, "
                "since anything else could run code. Convert it to a .pth of tensors."
            )
        return super().find_class(module, name)
