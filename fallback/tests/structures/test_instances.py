"""Instances: fields of equal length, selection, concatenation, and errors."""

import copy
import pickle

import pytest
import torch

from detectron2.structures import Boxes, Instances

SIZE = (3, 4)


@pytest.fixture
def three():
    boxes = Boxes(torch.arange(12.0).reshape(3, 4))
    return Instances(SIZE, gt_boxes=boxes, gt_classes=torch.arange(3), tags=[5, 6, 7])


def test_without_fields():
    empty = Instances(SIZE)
    assert empty.image_size == SIZE and empty.get_fields() == {}
    with pytest.raises(NotImplementedError):
        len(empty)
    with pytest.raises(NotImplementedError):
        empty[0]


def test_rows_may_be_none():
    none = Instances(SIZE, gt_classes=torch.zeros(0, dtype=torch.int64))
    assert len(none) == 0
    assert len(Instances.cat([none, none])) == 0
    with pytest.raises(IndexError):
        none[0]


def test_attributes_are_fields(three):
    three.scores = torch.ones(3)
    assert three.has("scores") and three.get("scores") is three.scores
    three.remove("scores")
    assert not three.has("scores")
    three._private = 1
    assert "_private" not in three.get_fields() and three._private == 1


def test_missing_field(three):
    with pytest.raises(AttributeError):
        three.scores
    with pytest.raises(KeyError):
        three.get("scores")
    with pytest.raises(KeyError):
        three.remove("scores")
    assert not hasattr(three, "scores")


def test_lengths_must_agree(three):
    with pytest.raises(AssertionError):
        three.scores = torch.ones(2)
    with pytest.raises(AssertionError):
        Instances(SIZE, a=[1], b=[1, 2])


def test_fields_are_live(three):
    three.get_fields()["extra"] = [7, 8, 9]
    assert three.extra == [7, 8, 9]


@pytest.mark.parametrize(("index", "classes"), [(0, [0]), (-1, [2]), (slice(1, None), [1, 2]), (slice(0, 0), [])])
def test_indexing_every_field(three, index, classes):
    chosen = three[index]
    assert chosen.gt_classes.tolist() == classes
    assert chosen.tags == [three.tags[row] for row in classes]
    assert chosen.gt_boxes.tensor.tolist() == [three.gt_boxes.tensor[row].tolist() for row in classes]


def test_tensor_index_does_not_fit_lists(three):
    with pytest.raises(TypeError):
        three[torch.tensor([0])]
    three.remove("tags")
    assert three[torch.tensor([True, False, True])].gt_classes.tolist() == [0, 2]
    assert three[torch.tensor([2, 2])].gt_classes.tolist() == [2, 2]


def test_index_outside_and_iteration(three):
    for index in (3, -4):
        with pytest.raises(IndexError):
            three[index]
    with pytest.raises(NotImplementedError):
        iter(three)


def test_cat(three):
    both = Instances.cat([three, three[1]])
    assert both.gt_classes.tolist() == [0, 1, 2, 1]
    assert both.tags == [5, 6, 7, 6]
    assert len(both.gt_boxes) == 4 and both.image_size == SIZE
    assert Instances.cat([three]) is three


def test_cat_errors(three):
    with pytest.raises(AssertionError):
        Instances.cat([])
    with pytest.raises(AssertionError):
        Instances.cat([three, 3])
    with pytest.raises(AssertionError):
        Instances.cat([Instances((3, 4), a=[1]), Instances((3, 5), a=[1])])
    with pytest.raises(KeyError):
        Instances.cat([Instances(SIZE, a=[1]), Instances(SIZE, b=[1])])
    with pytest.raises(ValueError):
        Instances.cat([Instances(SIZE, a="xy"), Instances(SIZE, a="xy")])


def test_to_moves_what_can_move(three):
    moved = Instances(SIZE, a=torch.arange(2), b=["x", "y"]).to(torch.float64)
    assert moved.a.dtype == torch.float64 and moved.b == ["x", "y"]
    assert three.to("cpu").gt_boxes.device.type == "cpu"


def test_copies_and_pickles(three):
    for other in (copy.copy(three), copy.deepcopy(three), pickle.loads(pickle.dumps(three))):
        assert other.tags == three.tags and other.image_size == SIZE
    deep = copy.deepcopy(three)
    deep.gt_classes += 1
    assert three.gt_classes.tolist() == [0, 1, 2]


def test_text():
    text = "Instances(num_instances=2, image_height=3, image_width=4, fields=[a: [1, 2], b: tensor([0, 1])])"
    assert str(Instances(SIZE, a=[1, 2], b=torch.arange(2))) == text
