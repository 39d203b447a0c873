"""Names of the real package that the subset only announces."""

import pytest
from detectron2.data import datasets, samplers
from detectron2.data import transforms as T
from detectron2.data.datasets import builtin_meta


@pytest.mark.parametrize(
    "absent",
    [
        T.RandomExtent,
        T.MinIoURandomCrop,
        T.PILColorTransform,
        datasets.load_sem_seg,
        samplers.RandomSubsetTrainingSampler,
    ],
    ids=repr,
)
def test_absent_names_are_refused_when_used(absent):
    with pytest.raises(ImportError):
        absent()


def test_unknown_names_are_attribute_errors():
    assert not hasattr(builtin_meta, "NO_SUCH_TABLE")
    assert not hasattr(T, "NoSuchTransform")
