"""Temporal fusion: references in any order, twice, or none; slots permuted; switches; positions."""

import pytest
import torch

from vis_projects.methods.hitf.fusion import TemporalFusion
from vis_projects.methods.hitf.positions import TemporalPositions

from tests.methods.hitf.clips import stir_weights

SLOTS, SIZE, CHANNELS, CODE = 3, (2, 3), 6, 8
TOKENS = SLOTS + 6


def fusion(**options):
    torch.manual_seed(0)
    sizes = {"channels": CHANNELS, "code_dim": CODE, "attn_dim": 4, "key_dim": 4, "value_dim": 8, "heads": 2,
             "ffn_dim": 5}
    module = TemporalFusion(num_slots=SLOTS, grid=SIZE, **{"num_layers": 2, "num_references": 3, **sizes, **options})
    stir_weights(module)
    return module.double()


def frame(seed, batch=1):
    rng = torch.Generator().manual_seed(seed)
    return (torch.rand(batch, CHANNELS, *SIZE, generator=rng).double(),
            torch.randn(batch, SLOTS, CODE, generator=rng).double())


def references(module, *seeds):
    kept = [module.project(*frame(seed)) for seed in seeds]
    return tuple(torch.stack([k[part] for k in kept], dim=1) for part in (0, 1))


def close(a, b):
    return all(torch.allclose(x, y, atol=1e-9) for x, y in zip(a, b))


def test_at_the_start_it_changes_nothing():
    torch.manual_seed(0)
    module = TemporalFusion(num_layers=2, num_references=3, num_slots=SLOTS, grid=SIZE, channels=CHANNELS,
                            code_dim=CODE, attn_dim=4, key_dim=4, value_dim=8, heads=2, ffn_dim=5).double()
    found = module(*frame(0), references(module, 1, 2, 3))
    assert all(torch.equal(a, b) for a, b in zip(found, frame(0)))


def test_what_is_kept_of_a_frame():
    keys, values = fusion().project(*frame(1, batch=2))
    assert keys.shape == (2, 2, TOKENS, 4) and values.shape == (2, 2, TOKENS, 8)


def test_references_change_the_result_and_their_order_matters_through_their_distance():
    module = fusion()
    one, two = (module(*frame(0), references(module, *seeds)) for seeds in ((1, 2, 3), (3, 2, 1)))
    assert not close(one, two)
    kept = references(module, 3, 1, 2)
    deltas = torch.tensor([3, 1, 2])
    assert close(one, module(*frame(0), kept, deltas=deltas))


def without_frame_positions(module):
    with torch.no_grad():
        for positions in module.positions:
            positions.pixel_frames.zero_()
            positions.code_frames.zero_()
    return module


def test_without_frame_positions_order_and_repetition_change_nothing():
    module = without_frame_positions(fusion())
    one = module(*frame(0), references(module, 1, 2, 3))
    assert close(one, module(*frame(0), references(module, 2, 3, 1)))
    twice = references(module, 1, 2, 3, 1, 2, 3)
    assert close(one, module(*frame(0), twice, deltas=torch.tensor([1, 2, 3, 1, 2, 3])))


@pytest.mark.parametrize("encoding", ["factorised", "full"])
def test_slots_permute(encoding):
    module = fusion(encoding=encoding)
    order = torch.tensor([2, 0, 1])
    features, code = frame(0)
    kept = references(module, 1, 2, 3)
    one = module(features, code, kept)
    tokens = torch.cat([order, torch.arange(SLOTS, TOKENS)])
    with torch.no_grad():
        for positions in module.positions:
            positions.slots.copy_(positions.slots[:, order])
    two = module(features, code[:, order], tuple(x[:, :, :, tokens] for x in kept))
    assert torch.allclose(two[0], one[0]) and torch.allclose(two[1], one[1][:, order])


def test_no_reference_leaves_the_intra_frame_layers_alone():
    module = fusion()
    features, code = frame(0)
    none = tuple(x[:, :0] for x in references(module, 1))
    expected = features, code
    for layer in module.intra:
        expected = layer(*expected)
    assert close(module(features, code, none), expected)


def test_masked_references_count_for_their_own_clip_alone():
    module = fusion()
    features, code = frame(0, batch=2)
    kept = tuple(x.expand(2, -1, -1, -1, -1) for x in references(module, 1, 2, 3))
    present = torch.tensor([[True, False, False], [False, False, False]])
    both = module(features, code, kept, present=present)
    first = module(features[:1], code[:1], tuple(x[:1, :1] for x in kept))
    second = module(features[1:], code[1:], tuple(x[1:, :0] for x in kept))
    assert close([x[:1] for x in both], first) and close([x[1:] for x in both], second)
    sum(x.sum() for x in both).backward()
    assert all(torch.isfinite(p.grad).all() for p in module.parameters() if p.grad is not None)


def test_masked_padding_is_not_read():
    module = fusion()
    features, code = frame(0)
    valid = torch.tensor([[True, True, False, True, True, False]])
    kept = references(module, 1, 2, 3)
    one = module(features, code, kept, valid=valid)
    moved = tuple(x.clone() for x in kept)
    for x in moved:
        x[:, :, :, SLOTS + 2] += 5.0
    assert close(one, module(features, code, moved, valid=valid))
    changed = features.clone()
    changed[:, :, 0, 2] += 5.0
    assert torch.allclose(one[1], module(changed, code, kept, valid=valid)[1])


@pytest.mark.parametrize("switches", [(True, True), (True, False), (False, True), (False, False)])
def test_switches_of_table_3(switches):
    module = fusion(c2c_c2p=switches[0], p2c=switches[1])
    features, code = frame(0)
    kept = references(module, 1, 2, 3)
    found = module(features, code, kept)
    assert len(module.inter) == (2 if any(switches) else 0) and len(module.positions) == (1 if any(switches) else 0)
    expected = features, code
    for layer in module.intra:
        expected = layer(*expected)
    assert close(found, expected) != any(switches)
    # one inter-frame layer changes what its switch says
    if any(switches):
        target, others = (table[0] for table in module.positions[0](torch.zeros(1, dtype=torch.int64), SIZE)), (
            module.positions[0](torch.arange(1, 4), SIZE))
        one = module.inter[0](features, code, tuple(x[:, :, 0] for x in kept), tuple(target), others)
        assert (not one[1].equal(code)) == switches[0] and (not one[0].equal(features)) == switches[1]


def test_number_of_references_is_a_matter_of_positions_alone():
    few, many = fusion(num_references=1).state_dict(), fusion(num_references=4).state_dict()
    differ = {name for name in few if few[name].shape != many[name].shape}
    assert differ == {"positions.0.pixel_frames", "positions.0.code_frames"} and list(few) == list(many)


def test_own_positions_of_layers():
    assert len(fusion(shared_encoding=False).positions) == 2


@pytest.mark.parametrize("kind", ["factorised", "full"])
def test_positions_of_the_made_size_are_the_tables(kind):
    positions = TemporalPositions(num_references=2, num_slots=3, code_dim=4, attn_dim=5, grid=(2, 3), kind=kind)
    pixels, codes = positions(torch.tensor([2]), (2, 3))
    if kind == "full":
        assert torch.equal(pixels[0].T.view(5, 2, 3), positions.places[2]) and torch.equal(codes[0], positions.slots[2])
    else:
        expected = positions.places[0] + positions.pixel_frames[2][:, None, None]
        assert torch.allclose(pixels[0].T.view(5, 2, 3), expected)
        assert torch.allclose(codes[0], positions.slots[0] + positions.code_frames[2])
    assert positions(torch.tensor([0, 1]), (5, 7))[0].shape == (2, 35, 5)


def test_wrong_encoding_is_named():
    with pytest.raises(ValueError, match="PE is 'vit'"):
        fusion(encoding="vit")
