import numpy as np
import pytest
import torch
from detectron2.structures import Instances

from tests.visualization.scenes import SIZE, frame, instances, masks, results
from vis_projects.visualization import VideoVisualizer, color_of
from vis_projects.visualization.colors import NO_ID_COLOR
from vis_projects.visualization.video_visualizer import MARK_COLORS

PLAIN = dict(draw_text=False, draw_boxes=False, alpha=1.0)


def test_a_frame_without_objects_is_copied():
    image = frame()
    for empty in (Instances(SIZE), instances()):
        drawn = VideoVisualizer().draw(image, empty)
        assert (drawn == image).all() and not np.shares_memory(drawn, image)
    assert (VideoVisualizer().draw_results(image, []) == image).all()


def test_the_input_is_not_changed_and_may_be_read_only():
    image = frame()
    image.setflags(write=False)
    drawn = VideoVisualizer(["cat"]).draw(image[:, ::-1], instances((5, 5, 20, 20)))
    assert drawn.dtype == np.uint8 and drawn.shape == image.shape and (drawn != image).any() and (image == 100).all()


def test_masks_have_the_colour_of_their_id():
    drawn = VideoVisualizer(**PLAIN).draw(frame(), instances((0, 0, 10, 10), (20, 20, 30, 30), ids=[5, -1]))
    assert tuple(drawn[5, 5]) == color_of(5) and tuple(drawn[25, 25]) == NO_ID_COLOR and drawn[15, 15, 0] == 100


def test_a_drawn_result_equals_the_drawn_instances():
    boxes = [(0, 0, 10, 10), (20, 20, 30, 30)]
    drawer = VideoVisualizer(["cat"])
    np.testing.assert_array_equal(
        drawer.draw(frame(), instances(*boxes)), drawer.draw_results(frame(), entries=results(*boxes).frame(2))
    )


def test_boxes_and_text_can_be_switched():
    objects = instances((20, 20, 40, 35))
    objects.remove("pred_masks")
    assert (VideoVisualizer(**PLAIN).draw(frame(), objects) == 100).all()
    boxes = VideoVisualizer(draw_text=False).draw(frame(), objects)
    assert tuple(boxes[20, 30]) == color_of(0) and boxes[25, 30, 0] == 100
    text = VideoVisualizer(["cat"], draw_boxes=False).draw(frame(), objects)
    assert (text[:20] != 100).any() and (text[22:] == 100).all()


def test_masks_alone_are_labelled_where_they_are():
    drawn = VideoVisualizer(draw_boxes=False).draw(frame(), Instances(SIZE, pred_masks=masks((30, 20, 40, 30))))
    assert (drawn[:20] == 100).all()  # nothing to say: no id, class or score
    labelled = Instances(SIZE, pred_masks=masks((30, 20, 40, 30)), pred_ids=torch.tensor([3]))
    assert (VideoVisualizer(draw_boxes=False).draw(frame(), labelled)[:20] != 100).any()


def test_a_class_without_name_is_numbered():
    objects = instances((5, 5, 20, 20))
    objects.pred_classes = torch.tensor([41])
    assert (VideoVisualizer(["cat"]).draw(frame(), objects) != 100).any()


def test_trails_follow_an_object_until_reset():
    drawer = VideoVisualizer(draw_trails=True, **PLAIN)
    drawer.draw(frame(), instances((0, 0, 4, 4)))
    drawn = drawer.draw(frame(), instances((50, 30, 54, 34)))
    assert (drawn[5:28, 5:45] != 100).any()
    drawer.reset()
    assert (drawer.draw(frame(), instances((0, 0, 4, 4)))[5:28, 5:45] == 100).all()


def test_marks_are_framed_in_their_colour_and_named():
    drawer, entries = VideoVisualizer(**PLAIN), results((10, 10, 30, 30), (40, 20, 50, 30)).frame(0)
    drawn = drawer.draw_results(frame(), entries, {0: "missed"})
    assert tuple(drawn[10, 20]) == MARK_COLORS["missed"]
    np.testing.assert_array_equal(drawn[:, 36:], drawer.draw_results(frame(), entries)[:, 36:])
    texts = VideoVisualizer(["cat"], draw_boxes=False, alpha=0)
    assert (texts.draw_results(frame(), entries, {1: "switch"}) != texts.draw_results(frame(), entries)).any()
    with pytest.raises(ValueError, match=r"unknown marks \['odd'\]"):
        drawer.draw_results(frame(), entries, {0: "odd"})


def test_three_hundred_ids_keep_their_colours():
    drawer = VideoVisualizer(**PLAIN)
    size, boxes = (40, 1200), [(4 * k, 10, 4 * k + 4, 14) for k in range(300)]
    first = drawer.draw(frame(size=size), instances(*boxes, size=size))
    assert [tuple(first[12, 4 * k + 2]) for k in range(300)] == [color_of(k) for k in range(300)]
    # ids 100 ... 299 alone, in another order: each has the colour it had
    order = list(range(299, 99, -1))
    later = drawer.draw(frame(size=size), instances(*[boxes[k] for k in order], ids=order, size=size))
    np.testing.assert_array_equal(later[:, 400:], first[:, 400:])


def test_sizes_must_agree():
    with pytest.raises(ValueError, match=r"image has size \(20, 20\), the instances \(40, 60\)"):
        VideoVisualizer().draw(frame(size=(20, 20)), instances())
    with pytest.raises(ValueError, match=r"image has size \(20, 20\), the mask of track 0 \(40, 60\)"):
        VideoVisualizer().draw_results(frame(size=(20, 20)), results((0, 0, 5, 5)).frame(0))
