"""The correlation tracking module: correlations by their definition, scores, maps."""

import pytest
import torch
from detectron2.structures import Boxes

from tests.methods.compfeat.test_temporal_attention import random
from vis_projects.methods.compfeat import CorrelationTrackHead

C, STRIDES = 4, {"p2": 4, "p3": 8, "p4": 16, "p5": 32}


def head(**options):
    torch.manual_seed(0)
    return CorrelationTrackHead(C, 7, STRIDES, **{"adjust": "none", **options}).double()


def features(count, seed=0):
    return {name: random(count, C, 320 // s, 480 // s, seed=seed + s) for name, s in STRIDES.items()}


def boxes(*rows):
    return Boxes(torch.tensor(rows, dtype=torch.float64).reshape(-1, 4))


A, B, D = (32, 32, 128, 128), (200, 100, 330, 260), (8, 8, 40, 60)


def scores(module, looks, then, seed=0):
    """Of one image, with the boxes A, B, D in turn on both sides."""
    now = boxes(*[A, B, D][: len(looks)])
    return module.score([looks], [now], [then], [boxes(*[B, A, D][: len(then)])], features(1, seed))


def test_correlation_with_the_frame_at_a_place_is_that_with_the_patch_there():
    module, search, templates = head(corr_norm="sum"), random(1, C, 20, 24), random(3, C, 7, 7, seed=1)
    maps = module.correlate(search, templates, torch.zeros(3, dtype=torch.int64))
    for y, x in ((3, 3), (10, 12), (16, 20)):
        patch = search[:, :, y - 3 : y + 4, x - 3 : x + 4]
        expected = module.object_to_object(patch, templates)[0]
        torch.testing.assert_close(maps[:, :, y, x], expected, rtol=1e-10, atol=1e-10)


def test_a_delta_gives_the_map_back():
    search, delta = random(1, C, 9, 11), torch.zeros(1, C, 7, 7, dtype=torch.float64)
    delta[:, :, 3, 3] = 1
    index = torch.zeros(1, dtype=torch.int64)
    assert torch.equal(head(corr_norm="sum").correlate(search, delta, index), search)
    torch.testing.assert_close(head().correlate(search, delta, index), search / 49)


def test_correlations_are_linear_and_shift_with_the_map():
    module, index = head(), torch.zeros(1, dtype=torch.int64)
    one, two, template = random(1, C, 16, 18), random(1, C, 16, 18, seed=1), random(1, C, 7, 7, seed=2)
    torch.testing.assert_close(
        module.correlate(2 * one - two, template, index),
        2 * module.correlate(one, template, index) - module.correlate(two, template, index))
    moved = module.correlate(one.roll((2, 1), (2, 3)), template, index)
    still = module.correlate(one, template, index).roll((2, 1), (2, 3))
    torch.testing.assert_close(moved[..., 5:-3, 4:-3], still[..., 5:-3, 4:-3])


def test_a_template_peaks_where_it_was_cut_out():
    search = torch.nn.functional.normalize(random(1, C, 20, 24), dim=1)
    template = search[:, :, 8:15, 10:17]
    total = head().correlate(search, template, torch.zeros(1, dtype=torch.int64)).sum(1)[0]
    assert divmod(total.argmax().item(), 24) == (11, 13)


def test_objects_against_objects_by_hand():
    # two channels, all bins equal: u_c = x_c z_c with "mean", 49 times that with "sum"
    x = torch.tensor([2.0, 3.0], dtype=torch.float64).view(1, 2, 1, 1).expand(1, 2, 7, 7)
    z = torch.tensor([5.0, 7.0], dtype=torch.float64).view(1, 2, 1, 1).expand(1, 2, 7, 7)
    make = lambda norm: CorrelationTrackHead(2, 7, STRIDES, adjust="none", corr_norm=norm)  # noqa: E731
    torch.testing.assert_close(make("mean").object_to_object(x, z)[0, 0].tolist(), [10.0, 21.0])
    torch.testing.assert_close(make("sum").object_to_object(x, z)[0, 0].tolist(), [490.0, 1029.0])


def test_pairs_without_adjustment_are_symmetric():
    module, x, z = head(), random(3, C, 7, 7), random(2, C, 7, 7, seed=1)
    torch.testing.assert_close(module.object_to_object(x, z), module.object_to_object(z, x).transpose(0, 1))


@pytest.mark.parametrize("adjust", ["none", "siamrpn"])
@pytest.mark.parametrize("search_level", ["p4", "scale"])
def test_a_batch_of_objects_is_a_loop_over_them(adjust, search_level):
    module = head(adjust=adjust, search_level=search_level)
    looks, then = random(3, C, 7, 7), random(3, C, 7, 7, seed=1)
    now, before = boxes(A, B, D), boxes(B, A, D)
    (table,) = module.score([looks], [now], [then], [before], features(1)).tables
    assert table.shape == (3, 4) and (table[:, 0] == 0).all() and table.dtype == torch.float32
    for r in range(3):
        for n in range(3):
            (pair,) = module.score([looks[r : r + 1]], [now[r : r + 1]], [then[n : n + 1]], [before[n : n + 1]],
                                   features(1)).tables
            torch.testing.assert_close(pair[0, 1], table[r, n + 1], rtol=1e-5, atol=1e-6)


def test_images_of_a_batch_do_not_mix():
    module = head(search_level="scale")
    looks = [random(2, C, 7, 7), random(1, C, 7, 7, seed=2)]
    then = [random(1, C, 7, 7, seed=3), random(3, C, 7, 7, seed=4)]
    now, before = [boxes(A, B), boxes(D)], [boxes(A), boxes(B, D, A)]
    maps = features(2)
    together = module.score(looks, now, then, before, maps).tables
    for b in range(2):
        own = {name: x[b : b + 1] for name, x in maps.items()}
        (alone,) = module.score(looks[b : b + 1], now[b : b + 1], then[b : b + 1], before[b : b + 1], own).tables
        torch.testing.assert_close(together[b], alone, rtol=1e-5, atol=1e-6)


def test_without_the_map_the_frame_plays_no_part():
    looks, then = random(2, C, 7, 7), random(2, C, 7, 7, seed=1)
    module = head(use_map=False)
    (one,), (two,) = (scores(module, looks, then, seed).tables for seed in (0, 5))
    assert torch.equal(one, two) and not scores(module, looks, then).maps
    assert not any("refine" in name or "map_conv" in name for name in module.state_dict())
    (one,), (two,) = (scores(head(), looks, then, seed).tables for seed in (0, 5))
    assert not torch.equal(one, two)


def test_the_stricter_reading_of_the_test_rule_is_a_switch():
    looks, then = random(2, C, 7, 7), random(2, C, 7, 7, seed=1)
    strict, plain = head(test_use_map_vector=False), head()
    plain.load_state_dict(strict.state_dict())
    assert strict.train() and len(scores(strict, looks, then).maps) == 1
    torch.testing.assert_close(scores(strict, looks, then).tables, scores(plain, looks, then).tables)
    strict.eval(), plain.eval()
    without = head(use_map=False)
    without.load_state_dict(strict.state_dict(), strict=False)
    torch.testing.assert_close(scores(strict, looks, then).tables, scores(without, looks, then).tables)
    assert not scores(strict, looks, then).maps


def test_raw_and_refined_features_differ():
    looks, then = random(2, C, 7, 7), random(2, C, 7, 7, seed=1)
    (raw,), (refined,) = (scores(head(roi_from=kind), looks, then).tables for kind in ("raw", "refined"))
    assert (raw - refined).abs().max() > 1e-6


def test_reference_objects_are_searched_one_level_above_their_own():
    # sides 40, 150, 300, 900: RoIAlign's levels 1 (below p2), 3, 4, 6; one above, within p3 to p5: 3, 4, 5, 5
    module = head(search_level="scale")
    sides = boxes(*[(0, 0, side, side) for side in (40, 150, 300, 900)])
    assert module._search_levels([sides], torch.device("cpu")).tolist() == [0, 1, 2, 2]
    found = module.score([random(1, C, 7, 7)], [boxes(A)], [random(4, C, 7, 7, seed=1)], [sides], features(1))
    assert [m.objects.tolist() for m in found.maps] == [[0], [1], [2, 3]]
    assert [(m.logits.shape[-2:], m.stride) for m in found.maps] == [((40, 60), 8), ((20, 30), 16), ((10, 15), 32)]


@pytest.mark.parametrize("now, then", [(0, 2), (2, 0), (0, 0)])
@pytest.mark.parametrize("options", [{}, {"adjust": "siamrpn"}, {"search_level": "scale"}, {"refine_kernel": 3}])
def test_nothing_to_compare_still_reaches_every_parameter(now, then, options):
    module = head(**options)
    found = scores(module, random(now, C, 7, 7), random(then, C, 7, 7, seed=1))
    assert found.tables[0].shape == (now, 1 + then)
    total = found.tables[0].sum() + sum(m.logits.sum() for m in found.maps)
    total.backward()
    assert [name for name, p in module.named_parameters() if p.grad is None] == []


def test_the_start_expects_an_empty_map():
    module = head()
    with torch.no_grad():
        (found,) = scores(module, random(1, C, 7, 7), random(1, C, 7, 7, seed=1)).maps
    assert found.logits.sigmoid().mean() == pytest.approx(0.1, abs=0.02)


@pytest.mark.parametrize("wrong, key", [
    ({"adjust": "conv"}, "ADJUST"), ({"corr_norm": "l2"}, "CORR_NORM"), ({"roi_from": "map"}, "ROI_FROM"),
    ({"refine_kernel": 2}, "REFINE_KERNEL"), ({"search_level": "p7"}, "SEARCH_LEVEL"),
])
def test_unknown_options_name_their_key(wrong, key):
    with pytest.raises(ValueError, match=key):
        head(**wrong)


def test_a_template_needs_a_middle():
    with pytest.raises(ValueError, match="POOLER_RESOLUTION is 8"):
        CorrelationTrackHead(C, 8, STRIDES)
