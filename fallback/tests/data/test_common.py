"""Wrappers of data sets."""

import pickle

import pytest
from detectron2.data import DatasetFromList, MapDataset, ToIterableDataset
from detectron2.data.common import AspectRatioGroupedDataset, set_default_dataset_from_list_serialize_method
from detectron2.data.samplers import InferenceSampler
from torch.utils.data import DataLoader, IterableDataset


class Stream(IterableDataset):
    def __init__(self, length):
        self.length = length

    def __len__(self):
        return self.length

    def __iter__(self):
        yield from range(self.length)


@pytest.mark.parametrize("serialize", [True, False])
def test_list_hands_out_copies(serialize):
    items = [{"boxes": [i] * i} for i in range(4)]
    dataset = DatasetFromList(items, copy=True, serialize=serialize)
    assert len(dataset) == 4 and [dataset[i] for i in range(4)] == items
    dataset[2]["boxes"].append("changed")
    assert dataset[2] == {"boxes": [2, 2]}
    assert pickle.loads(pickle.dumps(dataset))[3] == items[3]


def test_list_without_copies_is_the_list():
    items = [{"a": 1}]
    assert DatasetFromList(items, copy=False, serialize=False)[0] is items[0]
    with pytest.raises(TypeError):
        DatasetFromList(items, serialize=3)


def test_own_serialisation():
    assert DatasetFromList([1, 2, 3], serialize=lambda lst: lst[::-1])[0] == 3
    with set_default_dataset_from_list_serialize_method(lambda lst: [10 * x for x in lst]):
        inside = DatasetFromList([1, 2])
    assert inside[1] == 20 and DatasetFromList([1, 2])[1] == 2


def test_map_takes_another_item_where_the_function_gives_none():
    dataset = MapDataset(list(range(6)), lambda x: None if x == 3 else 2 * x)
    assert len(dataset) == 6 and dataset[4] == 8
    assert dataset[3] in {0, 2, 4, 8, 10}
    # the generator of replacements has a fixed seed
    again = MapDataset(list(range(6)), lambda x: None if x == 3 else 2 * x)
    assert [dataset[3] for _ in range(5)] == [again[3] for _ in range(6)][1:]


def test_map_gives_up_when_nothing_is_left():
    with pytest.raises(ValueError):
        MapDataset([1, 2], lambda x: None)[0]


def test_map_of_a_stream_is_a_stream():
    mapped = MapDataset(Stream(6), lambda x: None if x % 3 == 0 else x * x)
    assert isinstance(mapped, IterableDataset) and len(mapped) == 6
    assert list(mapped) == [1, 4, 16, 25]


def test_lambdas_survive_pickling():
    pytest.importorskip("cloudpickle")
    assert pickle.loads(pickle.dumps(MapDataset([1, 2], lambda x: x + 1)))[1] == 3
    assert list(pickle.loads(pickle.dumps(MapDataset(Stream(3), lambda x: x + 1)))) == [1, 2, 3]


def test_stream_of_a_sampler():
    stream = ToIterableDataset(list("abcde"), InferenceSampler(5))
    assert list(stream) == list("abcde") and len(stream) == 5
    with pytest.raises(AssertionError):
        ToIterableDataset(Stream(3), InferenceSampler(3))
    with pytest.raises(AssertionError):
        ToIterableDataset([1, 2], [0, 1])


def test_stream_is_divided_among_workers_in_chunks():
    # chunks (0,1) (2,3) (4,5) (6): worker 0 takes the first and third, worker 1 the others; batches alternate
    stream = ToIterableDataset(list(range(7)), InferenceSampler(7), shard_chunk_size=2)
    loader = DataLoader(stream, batch_size=2, num_workers=2, collate_fn=list)
    assert list(loader) == [[0, 1], [2, 3], [4, 5], [6]]


def test_batches_share_their_orientation():
    sizes = [(2, 1), (1, 2), (3, 3), (4, 2), (5, 9), (9, 1)]
    items = [{"width": w, "height": h, "id": i} for i, (w, h) in enumerate(sizes)]
    # wide: 0, 3, 5; not wide: 1, 2, 4; a square counts as not wide
    batches = [[item["id"] for item in batch] for batch in AspectRatioGroupedDataset(items, 2)]
    assert batches == [[1, 2], [0, 3]]
