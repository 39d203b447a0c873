"""Ground truth of a pair of frames on the grid of the logits."""

import torch
from detectron2.structures import BitMasks, Instances

from vis_projects.methods.hitf.targets import inside, pair_targets

SIZE = (3, 4)  # of the logits: pixels 0, 4, 8 and 0, 4, 8, 12
CLASSES = 5


def frame(*objects, size=(9, 13)):
    """Objects of (id, class, rows, columns): boxes of pixels."""
    made = Instances(size)
    masks = torch.zeros(len(objects), *size, dtype=torch.bool)
    for k, (_, _, rows, columns) in enumerate(objects):
        masks[k, slice(*rows), slice(*columns)] = True
    made.gt_masks = BitMasks(masks)
    made.gt_ids = torch.tensor([o[0] for o in objects], dtype=torch.int64)
    made.gt_classes = torch.tensor([o[1] for o in objects], dtype=torch.int64)
    return made


def targets(*frames, max_objects=4, image_size=(9, 13)):
    return pair_targets(frames, image_size, SIZE, num_classes=CLASSES, max_objects=max_objects)


def test_masks_are_read_at_every_fourth_pixel():
    (target,) = targets(frame((7, 2, (0, 5), (4, 9))))
    assert target.masks.tolist() == [[[0, 1, 1, 0], [0, 1, 1, 0], [0, 0, 0, 0]]]
    assert target.classes.tolist() == [2] and target.counted.all() and target.present.tolist() == [True]


def test_an_object_between_the_places_of_the_grid_is_absent():
    (target,) = targets(frame((7, 2, (1, 4), (1, 4)), (8, 1, (0, 1), (0, 1))))
    assert target.classes.tolist() == [1] and target.masks.shape == (1, 3, 4)


def test_no_object():
    (target,) = targets(frame())
    assert target.masks.shape == (0, 3, 4) and target.owners().tolist() == [[0] * 4] * 3 and target.counted.all()


def test_objects_are_those_of_frame_t_and_keep_their_place_at_t_minus_1():
    now = frame((1, 0, (0, 1), (0, 1)), (2, 3, (0, 1), (4, 5)), (4, 1, (8, 9), (0, 1)))
    before = frame((2, 3, (4, 5), (4, 5)), (3, 4, (8, 9), (12, 13)), (4, 1, (1, 2), (1, 2)))
    first, second = targets(now, before)
    assert first.classes.tolist() == [0, 3, 1]
    # 1 is not there, 2 has moved, 4 has no pixel on the grid; 3 is of frame t - 1 alone and does not count
    assert second.classes.tolist() == [CLASSES, 3, CLASSES] and second.present.tolist() == [False, True, False]
    assert second.masks[1].nonzero().tolist() == [[1, 1]]
    assert (~second.counted).nonzero().tolist() == [[2, 3]] and first.counted.all()


def test_of_too_many_objects_the_largest_stay_in_their_order_and_the_others_do_not_count():
    shown = frame((1, 0, (0, 1), (0, 5)), (2, 1, (4, 5), (0, 1)), (3, 2, (8, 9), (0, 13)))
    (target,) = targets(shown, max_objects=2)
    assert target.classes.tolist() == [0, 2]
    assert (~target.counted).nonzero().tolist() == [[1, 0]]


def test_where_two_overlap_the_smaller_owns_the_pixel():
    (target,) = targets(frame((1, 0, (0, 1), (0, 5)), (2, 1, (0, 9), (0, 13))))
    assert target.owners().tolist() == [[0, 0, 1, 1], [1] * 4, [1] * 4]


def test_padding_does_not_count():
    (target,) = targets(frame((1, 0, (0, 1), (0, 1)), size=(5, 9)), image_size=(5, 9))
    assert target.counted.tolist() == [[True, True, True, False]] * 2 + [[False] * 4]
    assert inside((4, 13), SIZE).tolist() == [[True] * 4, [False] * 4, [False] * 4]
