import pytest
import torch

from vis_projects.modeling.condinst import MaskBranch


def branch(**options) -> MaskBranch:
    torch.manual_seed(0)
    return MaskBranch(**{"in_channels": (16, 16, 16), "channels": 12, **options})


def test_shapes():
    features = [torch.randn(2, 16, 8 // s, 12 // s) for s in (1, 2, 4)]
    assert branch()(features).shape == (2, 8, 8, 12)
    assert branch(in_channels=(16,), out_channels=4, num_convs=1)(features[:1]).shape == (2, 4, 8, 12)


def test_levels_are_summed_after_their_own_refinement():
    model = branch().eval()
    features = [torch.randn(1, 16, 8 // s, 8 // s) for s in (1, 2, 4)]
    seen = []
    model.tower.register_forward_pre_hook(lambda module, inputs: seen.append(inputs[0]))
    model(features)
    refined = [refine(feature) for refine, feature in zip(model.refine, features)]
    # place i of a coarse level lands on place factor * i + factor // 2
    expected = refined[0][0, :, 2, 2] + refined[2][0, :, 0, 0]
    between = torch.nn.functional.interpolate(refined[1], scale_factor=2)  # shape only
    assert between.shape == refined[0].shape
    assert torch.allclose(seen[0][0, :, 2, 2], expected + torch.stack(
        [refined[1][0, :, a, b] for a in (0, 1) for b in (0, 1)]).mean(0), atol=1e-5)


def test_parameter_names_are_those_of_published_checkpoints():
    norm = ("weight", "bias", "running_mean", "running_var", "num_batches_tracked")
    blocks = [*(f"refine.{k}" for k in range(3)), *(f"tower.{k}" for k in range(4))]
    expected = {f"{b}.0.weight" for b in blocks} | {f"{b}.1.{n}" for b in blocks for n in norm}
    assert set(branch().state_dict()) == expected | {"tower.4.weight", "tower.4.bias"}


def test_what_does_not_fit_is_named():
    with pytest.raises(ValueError, match="3 levels and got 1"):
        branch()([torch.zeros(1, 16, 8, 8)])
    with pytest.raises(ValueError, match=r"\(3, 4\) does not fit 2 times into \(7, 8\)"):
        branch(in_channels=(16, 16))([torch.zeros(1, 16, 7, 8), torch.zeros(1, 16, 3, 4)])
