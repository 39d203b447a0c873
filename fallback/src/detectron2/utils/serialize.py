"""``PicklableWrapper``: sends objects that pickle cannot handle, such as lambdas, to worker processes."""

import pickle


class PicklableWrapper:
    """Behaves like the object inside; unpickles to the object itself. Needs the package cloudpickle for lambdas."""

    def __init__(self, obj):
        while isinstance(obj, PicklableWrapper):
            obj = obj._obj
        self._obj = obj

    def __reduce__(self):
        return pickle.loads, (_dumps(self._obj),)

    def __call__(self, *args, **kwargs):
        return self._obj(*args, **kwargs)

    def __getattr__(self, attr):
        if attr == "_obj":
            raise AttributeError(attr)
        return getattr(self._obj, attr)


def _dumps(obj) -> bytes:
    """Pickle with cloudpickle where it is installed; it is imported only here because most runs never need it."""
    try:
        import cloudpickle
    except ImportError:
        cloudpickle = None
    if cloudpickle is not None:
        return cloudpickle.dumps(obj)
    try:
        return pickle.dumps(obj)
    except (pickle.PicklingError, AttributeError, TypeError) as error:
        raise pickle.PicklingError(
            f"{obj!r} cannot be pickled ({error}); pip install cloudpickle, or use a function defined in a module"
        ) from error
