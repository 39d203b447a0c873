"""A clean-room subset of the Detectron2 0.6 API in pure Python.

The package carries the import name ``detectron2`` so that plugins run unchanged where the real one is missing.
``__subset__`` is True here and absent in the real package, so a report of the environment can say which one runs.
Importing this package registers no built-in data sets and compiles nothing.
"""

from detectron2._impl.coexistence import refuse_to_shadow_real

__version__ = "0.6+subset.1"
__subset__ = True

refuse_to_shadow_real(__file__)
