"""Crossover against a second derivation in plain loops, and the four embedding losses by hand."""

import math

import pytest
import torch
from detectron2.structures import Instances

from vis_projects.methods.crossvis import IdentityClassifier
from vis_projects.methods.crossvis.losses import (
    CROSS_LOCATIONS,
    EmbeddedPositives,
    crossover_loss,
    draw_partner_locations,
    global_embedding_loss,
    pairwise_embedding_loss,
    partner_index,
    partner_pairs,
)
from vis_projects.modeling.condinst import DynamicMaskHead, FramePositives, MaskQueries, dice_loss

HEAD = DynamicMaskHead()


def ids(*groups) -> list[Instances]:
    return [Instances((8, 8), gt_ids=torch.tensor(group, dtype=torch.int64)) for group in groups]


def positives(gt_index, image_index, *, objects: int, seed: int, levels=None) -> FramePositives:
    """Random filters and locations for the given objects; 32 x 48 images, masks at stride 4."""
    rng = torch.Generator().manual_seed(seed)
    count = len(gt_index)
    queries = MaskQueries(
        params=0.3 * torch.randn(count, 169, generator=rng), locations=40 * torch.rand(count, 2, generator=rng),
        levels=torch.tensor(levels or [0] * count), image_index=torch.tensor(image_index, dtype=torch.int64),
    )
    masks = (torch.rand(objects, 8, 12, generator=rng) > 0.5).float()
    return FramePositives(torch.arange(count), torch.tensor(gt_index, dtype=torch.int64), queries, masks,
                          torch.arange(count))


def mask_loss(features, queries, masks):
    if len(queries) == 0:
        return 0.0 * (features.sum() + queries.params.sum())
    return dice_loss(HEAD(features, queries), masks).mean()


def test_partners_are_found_by_identity_within_their_clip():
    # the sheet's example: lists [[-1, 0], [0]] and [[1, -1], [0, -1]] become [-1, 0, 2] and [1, -1, 2, -1]
    key, reference = ids([5, 7], [9]), ids([7, 8], [9, 5])
    assert partner_index(key, reference).tolist() == [-1, 0, 2]
    assert partner_index(reference, key).tolist() == [1, -1, 2, -1]
    assert partner_index(ids([], [1]), ids([3], [])).tolist() == [-1]


def test_a_location_of_the_same_object_is_drawn_uniformly():
    torch.manual_seed(0)
    mine = positives([0, 1, 2], [0, 0, 0], objects=3, seed=1)
    theirs = positives([4, 3, 4, 3], [0] * 4, objects=5, seed=2)
    drawn = torch.stack([draw_partner_locations(mine, theirs, torch.tensor([4, -1, 2])) for _ in range(400)])
    assert set(drawn[:, 0].tolist()) == {0, 2} and 150 < (drawn[:, 0] == 0).sum() < 250
    assert (drawn[:, 1] == -1).all(), "not in the other frame"
    assert (drawn[:, 2] == -1).all(), "there, but without a positive location"


def pairs(mine, theirs, partners, how, most=0):
    rows, places = partner_pairs(mine, theirs, torch.tensor(partners), how, most)
    return list(zip(rows.tolist(), places.tolist()))


@pytest.mark.parametrize("how", CROSS_LOCATIONS)
def test_pairs_of_nothing(how):
    some, none = positives([0], [0], objects=1, seed=1), positives([], [], objects=0, seed=1)
    assert pairs(none, some, [], how) == pairs(none, none, [], how) == pairs(some, none, [-1], how) == []
    assert pairs(some, some, [-1], how) == []


def test_the_best_location_is_the_most_central_one_of_the_object():
    mine = positives([0, 1, 2, 0], [0] * 4, objects=3, seed=1)
    theirs = positives([4, 4, 3, 4], [0] * 4, objects=5, seed=2)
    # object 4: mean (11/3, 20/3) of (0, 0), (3, 10) and (8, 10); squared distances 13.4 + 44.4, 0.4 + 11.1, 18.8 + 11.1
    theirs.queries.locations = torch.tensor([[0.0, 0], [3.0, 10], [3.0, 6], [8.0, 10]])
    assert pairs(mine, theirs, [4, -1, 2], "best") == [(0, 1), (3, 1)]
    mine.sample = torch.tensor([3])
    assert pairs(mine, theirs, [4, -1, 2], "best") == [(3, 1)]


def test_all_locations_of_the_object_up_to_a_bound():
    mine = positives([0, 1, 2, 0], [0] * 4, objects=3, seed=1)
    theirs = positives([4, 3, 4, 3], [0] * 4, objects=5, seed=2)
    mine.sample = torch.tensor([3, 2, 1])
    assert pairs(mine, theirs, [4, 3, -1], "all") == [(3, 0), (3, 2), (1, 1), (1, 3)]
    assert pairs(mine, theirs, [4, 3, -1], "all", most=4) == [(3, 0), (3, 2), (1, 1), (1, 3)]
    torch.manual_seed(0)
    drawn = [pairs(mine, theirs, [4, 3, -1], "all", most=2) for _ in range(40)]
    assert all(len(set(some)) == 2 for some in drawn) and len({pair for some in drawn for pair in some}) == 4


def test_crossover_equals_a_loop():
    # two clips; object 0 of the key frame is object 1 of the reference, 1 is only in the key frame, 2 is 2
    key = positives([0, 0, 1, 2], [0, 0, 0, 1], objects=3, seed=3, levels=[0, 1, 0, 2])
    reference = positives([1, 1, 0, 2, 2], [0, 0, 0, 1, 1], objects=3, seed=4, levels=[0, 3, 0, 1, 4])
    features = torch.randn(2, 8, 4, 6, generator=torch.Generator().manual_seed(5))
    partners = torch.tensor([1, -1, 2])
    torch.manual_seed(11)
    got = crossover_loss(key, reference, partners, features, mask_loss)
    torch.manual_seed(11)
    place = draw_partner_locations(key, reference, partners).tolist()
    total, count = 0.0, 0
    for r in range(4):
        partner = partners[key.gt_index[r]].item()
        if partner < 0:
            continue
        at = place[r]
        assert reference.gt_index[at] == partner
        loss = loop_dice(key.queries.params[r], reference.queries.locations[at],
                         64 * 2 ** reference.queries.levels[at].item(),
                         features[reference.queries.image_index[at]], reference.masks[partner])
        total, count = total + loss, count + 1
    assert count == 3 and got.item() == pytest.approx(total / count, abs=1e-5)


def loop_dice(params, location, unit, features, target) -> float:
    """The three layers of one instance pixel by pixel, upsampled by aligned_bilinear's definition, and its dice."""
    sizes = (80, 64, 8, 8, 8, 1)
    w1, w2, w3, b1, b2, b3 = params.split(sizes)
    w1, w2, w3 = w1.view(8, 10), w2.view(8, 8), w3.view(1, 8)
    height, width = features.shape[1:]
    logits = torch.zeros(height, width)
    for i in range(height):
        for j in range(width):
            relative = (location - torch.tensor([8.0 * j + 4, 8.0 * i + 4])) / unit
            x = torch.cat([relative, features[:, i, j]])
            logits[i, j] = (w3 @ (w2 @ (w1 @ x + b1).relu() + b2).relu() + b3)[0]
    common = squares = 0.0
    for i in range(2 * height):
        for j in range(2 * width):
            # place 2 i + 1 of the output is place i of the input; between them it is linear, outside constant
            y, x = max((i - 1) / 2, 0.0), max((j - 1) / 2, 0.0)
            y0, x0 = int(y), int(x)
            y1, x1 = min(y0 + 1, height - 1), min(x0 + 1, width - 1)
            value = ((1 - y + y0) * (1 - x + x0) * logits[y0, x0] + (1 - y + y0) * (x - x0) * logits[y0, x1]
                     + (y - y0) * (1 - x + x0) * logits[y1, x0] + (y - y0) * (x - x0) * logits[y1, x1])
            p = 1 / (1 + math.exp(-value))
            common, squares = common + p * target[i, j].item(), squares + p * p + target[i, j].item() ** 2
    return 1 - 2 * common / (squares + 1e-5)


def test_crossover_without_a_shared_object_is_zero_with_gradients():
    key, reference = positives([0], [0], objects=1, seed=6), positives([0], [0], objects=1, seed=7)
    key.queries.params.requires_grad_()
    features = torch.randn(1, 8, 4, 6, requires_grad=True)
    loss = crossover_loss(key, reference, torch.tensor([-1]), features, mask_loss)
    loss.backward()
    assert loss.item() == 0 and (features.grad == 0).all() and (key.queries.params.grad == 0).all()


def test_crossover_uses_the_shared_sample():
    key, reference = positives([0, 0], [0, 0], objects=1, seed=8), positives([0], [0], objects=1, seed=9)
    key.sample = torch.tensor([1])
    seen = []
    crossover_loss(key, reference, torch.tensor([0]), torch.zeros(1, 8, 4, 6),
                   lambda features, queries, masks: seen.append(queries.params))
    assert torch.equal(seen[0], key.queries.params[1:])


def embedded(rows, gt_index, identities, clips=None) -> EmbeddedPositives:
    embeddings = torch.tensor(rows, dtype=torch.float32).reshape(len(gt_index), len(rows[0]) if rows else 2)
    return EmbeddedPositives(embeddings,
                             torch.tensor(gt_index, dtype=torch.int64), torch.tensor(identities, dtype=torch.int64),
                             torch.tensor(clips or [0] * len(gt_index), dtype=torch.int64))


NONE = embedded([], [], [])


def test_global_focal_by_hand():
    frames = [embedded([[2.0, -1, 0.5]], [0], [0]), embedded([[-4.6, -4.6, -4.6]], [0], [2])]
    # the sheet's vector 8.6: logits as they are, summed over 2 x 3 terms, divided by 2
    assert global_embedding_loss(frames, lambda x: x, focal=True).item() == pytest.approx(0.715090, abs=1e-5)


def test_global_cross_entropy_by_hand():
    frames = [embedded([[0.0, 0.0, 0.0]], [0], [1]), embedded([[0.0, math.log(2), 0.0]], [0], [1])]
    # ln 3 and -ln(2 / 4), averaged
    loss = global_embedding_loss(frames, lambda x: x, focal=False)
    assert loss.item() == pytest.approx((math.log(3) + math.log(2)) / 2)


def test_objects_without_a_known_identity_teach_nothing():
    unknown = embedded([[2.0, -1, 0.5]], [0], [-1])
    assert global_embedding_loss([unknown, unknown], lambda x: x, focal=True).item() == 0
    assert global_embedding_loss([embedded([[0.0] * 3], [0], [1]), unknown], lambda x: x, focal=False).item() == (
        pytest.approx(math.log(3)))


def test_an_identity_beyond_the_classifier_is_named():
    with pytest.raises(ValueError, match="identity 3, the classifier knows 3.*NUM_IDENTITIES"):
        global_embedding_loss([embedded([[0.0] * 3], [0], [3])], lambda x: x, focal=True)


def test_pairwise_cross_entropy_by_hand():
    # objects 0 and 1 of the other frame have the proxies (2, 0) [mean of (1, 0) and (3, 0)] and (0, 1)
    other = embedded([[1.0, 0], [3, 0], [0, 1]], [0, 0, 1], [0, 0, 1])
    mine = embedded([[1.0, 0], [0, 0]], [0, 1], [0, 2])
    # first: logits (0, 2, 0), target 1; second is not there: logits (0, 0, 0), target 0
    expected = (math.log(2 + math.exp(2)) - 2 + math.log(3)) / 2
    got = pairwise_embedding_loss(mine, other, torch.tensor([0, -1]), focal=False)
    assert got.item() == pytest.approx(expected, abs=1e-6)


def test_pairwise_focal_by_hand():
    other, mine = embedded([[0.0, 0.0]], [0], [0]), embedded([[1.0, 1.0]], [0], [0])
    # one product 0 of the same object: 0.25 * (1/2)^2 * ln 2
    assert pairwise_embedding_loss(mine, other, torch.tensor([0]), focal=True).item() == pytest.approx(
        0.0625 * math.log(2))


@pytest.mark.parametrize("focal", [True, False])
def test_pairwise_of_nothing_is_zero_and_clips_do_not_mix(focal):
    some = embedded([[1.0, 0.0]], [0], [0])
    assert pairwise_embedding_loss(NONE, NONE, torch.zeros(0, dtype=torch.int64), focal=focal).item() == 0
    assert pairwise_embedding_loss(some, embedded([[1.0, 0.0]], [0], [0], clips=[1]), torch.tensor([-1]),
                                   focal=focal).item() == 0


def test_classifier_scales_embeddings_as_published():
    classifier = IdentityClassifier(4, 3774)
    assert classifier.scale == pytest.approx(11.646934, abs=1e-5)
    assert IdentityClassifier(4, 6283).scale == pytest.approx(12.367925, abs=1e-5)
    x = torch.randn(2, 4)
    assert torch.allclose(classifier(x), classifier(5 * x), atol=1e-5)
    plain = IdentityClassifier(4, 10, normalize=False)
    assert torch.allclose(plain(x), x @ plain.weight.T + plain.bias)
    assert classifier.bias[0].item() == pytest.approx(-math.log(99))
    assert set(classifier.state_dict()) == {"weight", "bias"}
