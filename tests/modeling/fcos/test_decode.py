import math

import pytest
import torch
from detectron2.structures import ImageList

from vis_projects.modeling.fcos import FCOSDecoder, FCOSOutputs, level_locations
from vis_projects.modeling.fcos.decode import gather_rows

STRIDES, SIZES = (8, 16), ((4, 4), (2, 2))
POINTS = [level_locations(size, stride) for size, stride in zip(SIZES, STRIDES)]


def logit(p: float) -> float:
    return math.log(p / (1 - p))


def silent(images: int = 1, classes: int = 2) -> FCOSOutputs:
    """Outputs without a detection: probabilities near 0, centerness 0.81."""
    return FCOSOutputs(
        logits=[torch.full((images, classes, *size), -20.0) for size in SIZES],
        ltrb=[torch.ones(images, 4, *size) for size in SIZES],
        centerness=[torch.full((images, 1, *size), logit(0.81)) for size in SIZES],
    )


def decode(outputs: FCOSOutputs, **options):
    images = ImageList(torch.zeros(len(outputs.logits[0]), 3, 32, 32), [(32, 32)] * len(outputs.logits[0]))
    return FCOSDecoder(strides=STRIDES, **options)(outputs, POINTS, images)


def test_nothing_is_found():
    (found,) = decode(silent())
    assert len(found) == 0 and found.pred_boxes.tensor.shape == (0, 4) and found.image_size == (32, 32)


def test_one_cell_by_hand():
    outputs = silent()
    outputs.logits[0][0, 1, 2, 3] = logit(0.64)
    outputs.ltrb[0][0, :, 2, 3] = torch.tensor([1.0, 0.5, 0.25, 2.0])
    (found,) = decode(outputs)
    # cell (row 2, column 3) of stride 8 lies at (28, 20); score sqrt(0.64 * 0.81) = 0.8 * 0.9
    assert found.scores.tolist() == pytest.approx([0.72]) and found.pred_classes.tolist() == [1]
    assert found.locations.tolist() == [[28, 20]] and found.levels.tolist() == [0] and found.rows.tolist() == [11]
    # 28 - 8, 20 - 4, 28 + 2, 20 + 16
    assert found.pred_boxes.tensor.tolist() == [[20, 16, 30, 36]]


@pytest.mark.parametrize(("with_centerness", "expected"), [(True, 0), (False, 1)])
def test_threshold_with_and_without_centerness(with_centerness, expected):
    outputs = silent()
    outputs.logits[0][0, 0, 0, 0] = logit(0.055)  # times 0.81: 0.045
    assert len(decode(outputs, threshold_with_centerness=with_centerness)[0]) == expected


def test_suppression_is_within_a_class():
    outputs = silent()
    outputs.ltrb[0][:] = 4.0  # boxes of 64 x 64: neighbours overlap by more than 0.6
    outputs.logits[0][0, 0, 0, :2] = torch.tensor([logit(0.5), logit(0.9)])
    outputs.logits[0][0, 1, 0, 0] = logit(0.3)
    (found,) = decode(outputs)
    assert found.pred_classes.tolist() == [0, 1] and found.locations.tolist() == [[12, 4], [4, 4]]


def test_ties_with_the_last_one_stay():
    outputs = silent()
    outputs.ltrb[0][:] = 0.25
    outputs.logits[0][0, 0, 0, :4] = torch.tensor([logit(0.9), logit(0.5), logit(0.5), logit(0.4)])
    assert len(decode(outputs, post_nms_top_k=2)[0]) == 3
    assert len(decode(outputs, pre_nms_top_k=1)[0]) == 1


def test_rows_address_every_map_in_a_batch():
    outputs = silent(images=2)
    outputs.logits[1][1, 0, 1, 0] = 5.0
    outputs.logits[0][0, 0, 3, 3] = 5.0
    first, second = decode(outputs)
    # level 0 has 16 rows an image; level 1 starts at 32, image 1 of it at 36, cell (1, 0) is its row 2
    assert first.rows.tolist() == [15] and second.rows.tolist() == [38]
    maps = [torch.rand(2, 5, *size) for size in SIZES]
    assert torch.equal(gather_rows(maps, second.rows)[0], maps[1][1, :, 1, 0])
