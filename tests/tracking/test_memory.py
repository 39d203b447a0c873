"""The memory stores copies, and ids are never given twice."""

import torch

from vis_projects.tracking import TrackMemory


def rows(*values):
    """Embeddings (k, 2), boxes (k, 4) and labels (k,) filled with the given numbers."""
    column = torch.tensor(values, dtype=torch.float32)[:, None]
    return column.repeat(1, 2), column.repeat(1, 4), column[:, 0].long()


def test_empty_memory_and_empty_append():
    memory = TrackMemory()
    assert len(memory) == 0
    ids = memory.append(torch.zeros(0, 2), torch.zeros(0, 4), torch.zeros(0, dtype=torch.int64), 0)
    assert ids.shape == (0,) and ids.dtype == torch.int64
    memory.forget_unseen_since(10)
    assert len(memory) == 0


def test_ids_count_up_in_order():
    memory = TrackMemory()
    assert memory.append(*rows(1, 2), 0).tolist() == [0, 1]
    assert memory.append(*rows(3), 1).tolist() == [2]
    assert memory.labels.tolist() == [1, 2, 3] and memory.last_seen.tolist() == [0, 0, 1]


def test_stored_rows_are_copies():
    memory = TrackMemory()
    embeddings, boxes, labels = rows(1)
    memory.append(embeddings, boxes, labels, 0)
    embeddings.fill_(9), boxes.fill_(9), labels.fill_(9)
    assert memory.embeddings.tolist() == [[1, 1]]
    assert memory.boxes.tolist() == [[1] * 4] and memory.labels.tolist() == [1]
    embeddings, boxes, labels = rows(5)
    memory.refresh(torch.tensor([0]), embeddings, boxes, labels, 1)
    boxes.fill_(9)
    assert memory.boxes.tolist() == [[5] * 4]


def test_refresh_overwrites_its_slots_only_and_leaves_an_earlier_view_alone():
    memory = TrackMemory()
    memory.append(*rows(1, 2, 3), 0)
    earlier = memory.boxes
    assert memory.refresh(torch.tensor([2, 0]), *rows(7, 8)[:2], None, 4).tolist() == [2, 0]
    assert memory.boxes[:, 0].tolist() == [8, 2, 7] and earlier[:, 0].tolist() == [1, 2, 3]
    assert memory.labels.tolist() == [1, 2, 3]  # None keeps the classes
    assert memory.last_seen.tolist() == [4, 0, 4]


def test_refresh_of_nothing_changes_nothing():
    memory = TrackMemory()
    memory.append(*rows(1), 0)
    none = torch.zeros(0, dtype=torch.int64)
    assert memory.refresh(none, torch.zeros(0, 2), torch.zeros(0, 4), none, 1).tolist() == []
    assert memory.last_seen.tolist() == [0]


def test_forgotten_ids_are_not_reused():
    memory = TrackMemory()
    memory.append(*rows(1, 2), 0)
    memory.refresh(torch.tensor([1]), *rows(2), 3)
    memory.forget_unseen_since(0)
    assert memory.ids.tolist() == [1]
    memory.forget_unseen_since(3)
    assert len(memory) == 0
    assert memory.append(*rows(4), 5).tolist() == [2]


def test_gradients_are_not_kept():
    memory = TrackMemory()
    embeddings, boxes, labels = rows(1)
    memory.append(embeddings.requires_grad_(), boxes, labels, 0)
    assert not memory.embeddings.requires_grad
