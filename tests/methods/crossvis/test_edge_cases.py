"""Corners of training and tracking: one-frame videos, very many positives, two levels, padding, given instances."""

import pytest
import torch
from detectron2.structures import BitMasks, Boxes, Instances

from tests.methods.crossvis.test_losses import mask_loss, positives
from tests.methods.crossvis.test_meta_arch import OUTPUT, frames, item, small_model, train_losses
from tests.methods.masktrack_rcnn.pairs import objects
from vis_projects.methods.crossvis.losses import crossover_loss, draw_partner_locations
from vis_projects.modeling.fcos import FCOSTargets
from vis_projects.modeling.fcos.targets import answering_rows


def one_frame_pair(*ids):
    """The item of a video with one annotated frame: that frame twice."""
    made = item(ids, ids)
    made["image"], made["frame_indices"] = [made["image"][0], made["image"][0]], [0, 0]
    return made


def test_a_one_frame_video_trains():
    model = small_model()
    losses = train_losses(model, [one_frame_pair(1, 2)])
    assert all(torch.isfinite(value) for value in losses.values()) and losses["loss_cross"] > 0


def test_on_one_frame_with_one_location_an_object_crossover_is_the_mask_loss():
    same = positives([0, 1], [0, 0], objects=2, seed=1, levels=[0, 1])
    features = torch.randn(1, 8, 4, 6, generator=torch.Generator().manual_seed(2))
    crossed = crossover_loss(same, same, torch.tensor([0, 1]), features, mask_loss)
    assert torch.equal(crossed, mask_loss(features, same.queries, same.masks[same.gt_index]))


def test_the_drawn_location_decides_the_unit_of_the_coordinates():
    mine = positives([0, 0, 0, 0], [0] * 4, objects=1, seed=3)
    theirs = positives([0, 0], [0, 0], objects=1, seed=4, levels=[0, 3])
    torch.manual_seed(5)
    drawn = draw_partner_locations(mine, theirs, torch.tensor([0]))
    assert set(drawn.tolist()) == {0, 1}, "both levels are drawn"
    seen = []
    torch.manual_seed(5)
    crossover_loss(mine, theirs, torch.tensor([0]), torch.zeros(1, 8, 4, 6), lambda f, queries, m: seen.append(queries))
    assert seen[0].levels.tolist() == [[0, 3][k] for k in drawn.tolist()]
    assert torch.equal(seen[0].locations, theirs.queries.locations[drawn])


def test_six_hundred_positives_share_one_subset_of_five_hundred():
    model = small_model("MODEL.CONDINST.MAX_PROPOSALS", 500)
    images = torch.zeros(2, 3, 96, 160)
    heads = model.train().run_heads(images)
    # of 2 x (12 x 20 + 6 x 10 + 3 x 5) = 630 locations 620 answer for the only object of their image
    count = 630
    targets = FCOSTargets(
        labels=torch.tensor([1] * 620 + [3] * 10), ltrb=torch.ones(count, 4), gt_index=torch.arange(count) % 2,
        image_index=torch.arange(count) % 2, level=torch.zeros(count, dtype=torch.int64),
        locations=torch.zeros(count, 2), num_classes=3,
    )
    instances = [Instances((96, 160), gt_masks=BitMasks(torch.ones(1, 96, 160, dtype=torch.bool))) for _ in range(2)]
    torch.manual_seed(0)
    found = model._positives(heads, targets, instances, (96, 160))
    assert len(found.rows) == 620 and len(found.sample) == 500 == len(found.sample.unique())
    assert 0 <= found.sample.min() and found.sample.max() < 620
    loss = crossover_loss(found, found, torch.tensor([0, 1]), heads.mask_features, model.mask_loss)
    assert torch.isfinite(loss) and loss > 0


def test_losses_reach_into_the_padding():
    # 64 x 64 frames beside 64 x 96 ones: masks are compared over 64 x 96, with nothing in the padding
    model = small_model()
    narrow, wide = item((1,), (1,)), item((2,), (2,))
    for k in (0, 1):
        narrow["image"][k] = narrow["image"][k][:, :, :64]
        cut = objects(1)
        kept = Instances((64, 64), gt_boxes=cut.gt_boxes, gt_classes=cut.gt_classes, gt_ids=cut.gt_ids,
                         gt_masks=BitMasks(cut.gt_masks.tensor[:, :, :64]), gt_identities=cut.gt_ids)
        narrow["instances"][k] = kept
    shapes, original = [], model.mask_loss
    model.mask_loss = lambda f, q, masks: shapes.append((masks.shape[1:], masks[:, :, 16:])) or original(f, q, masks)
    train_losses(model, [narrow])
    alone = shapes[0][0]
    shapes.clear()
    train_losses(model, [narrow, wide])
    assert tuple(alone) == (16, 16) and all(tuple(size) == (16, 24) for size, _ in shapes)
    assert any((rest == 0).all(dim=(1, 2)).any() for _, rest in shapes), "the padding of the narrow frame is empty"


def test_frames_that_are_no_multiple_of_the_stride_keep_their_masks_in_place():
    model = small_model("MODEL.FCOS.SCORE_THRESH_TEST", 0.0, "MODEL.FCOS.POST_NMS_TOPK_TEST", 3).eval()
    frame = torch.randint(0, 256, (3, 50, 70), dtype=torch.uint8, generator=torch.Generator().manual_seed(1))
    found, _ = model.step(frame, model.init_state({"height": 100, "width": 140}))
    assert found.pred_masks.shape[1:] == (100, 140)
    assert (found.pred_boxes.tensor[:, 2] <= 140).all() and (found.pred_boxes.tensor[:, 3] <= 100).all()


# two levels of stride 8 (6 x 8 cells) and 16 (3 x 4); objects up to 20 px from the centre belong to the first
LEVELS = ([(6, 8), (3, 4)], (8, 16), ((-1.0, 20.0), (20.0, float("inf"))))


@pytest.mark.parametrize(
    ("box", "center", "row"),
    [
        ((0, 0, 16, 16), (8.0, 8.0), 1 * 8 + 1),  # the cell at (12, 12)
        ((0, 0, 16, 16), (7.9, 8.0), 1 * 8 + 0),
        ((0, 0, 40, 40), (20.0, 20.0), 2 * 8 + 2),  # 20 px, still the first level
        ((0, 0, 42, 42), (21.0, 21.0), 48 + 1 * 4 + 1),  # 21 px: cell (24, 24) of the second, behind 48 of the first
        ((0, 0, 16, 16), (float("nan"), float("nan")), 9),  # without a mask the centre of the box, (8, 8)
        ((60, 40, 80, 60), (70.0, 50.0), 5 * 8 + 7),  # outside of the maps: the last cell
    ],
)
def test_the_cell_that_answers_for_a_given_object(box, center, row):
    rows = answering_rows(*LEVELS, torch.tensor([box], dtype=torch.float32), torch.tensor([center]))
    assert rows.tolist() == [row]


def test_no_given_object_has_no_cell():
    assert answering_rows(*LEVELS, torch.zeros(0, 4), torch.zeros(0, 2)).shape == (0,)


def given(*ids):
    truth = objects(*ids)
    boxes = Boxes(truth.gt_boxes.tensor * 2)
    masks = truth.gt_masks.tensor.repeat_interleave(2, dim=1).repeat_interleave(2, dim=2)
    return Instances((128, 192), pred_boxes=boxes, pred_classes=truth.gt_classes, pred_masks=masks,
                     scores=torch.ones(len(ids)))


def test_given_instances_are_tracked_by_their_embeddings():
    model = small_model().eval()
    image = frames(1)[0]
    state = model.init_state(OUTPUT)
    first, state = model.step_with_given_instances(image, given(1, 2, 6), state)
    none, state = model.step_with_given_instances(image, given(), state)
    again, state = model.step_with_given_instances(image, given(6, 1), state)
    assert first.pred_ids.tolist() == [0, 1, 2] and len(none) == 0
    # the same places in the same frame: cosine 1 and IoU 1
    assert again.pred_ids.tolist() == [2, 0]
