import pytest
import torch

from vis_projects.modeling.dla import DLA, Tree


def dla(**options) -> DLA:
    torch.manual_seed(0)
    return DLA(**{"out_features": ("level3", "level4", "level5"), "norm": "BN", **options})


def test_shapes():
    out = dla()(torch.randn(2, 3, 64, 96))
    assert {name: tuple(x.shape) for name, x in out.items()} == {
        "level3": (2, 128, 8, 12), "level4": (2, 256, 4, 6), "level5": (2, 512, 2, 3)}
    shapes = dla(out_features=("level2",)).output_shape()
    assert (shapes["level2"].channels, shapes["level2"].stride) == (64, 4)


def test_size_is_that_of_published_implementations():
    # 15,742,104 with the classifier of 512 * 1000 + 1000
    assert sum(p.numel() for p in dla().parameters()) + 513_000 == 15_742_104


def test_names_are_those_of_the_published_weights():
    names = set(dla().state_dict())
    for name in ("base_layer.0.weight", "level0.0.weight", "level1.1.running_mean", "level2.tree1.conv1.weight",
                 "level2.root.conv.weight", "level2.project.0.weight", "level3.tree1.tree1.bn1.weight",
                 "level3.tree2.root.bn.bias", "level3.tree1.project.1.weight", "level4.tree2.tree2.conv2.weight",
                 "level5.root.conv.weight", "level5.project.0.weight"):
        assert name in names
    assert "level3.project.0.weight" not in names and "level3.root.conv.weight" not in names


def test_the_last_root_sees_all_branches():
    # level3: two trees of 128; the last root takes its two blocks, the first tree and the pooled input of 64 channels
    assert dla().level3.tree2.root.conv.in_channels == 2 * 128 + 128 + 64
    assert dla().level3.tree1.root.conv.in_channels == 2 * 128
    assert dla().level5.root.conv.in_channels == 2 * 512 + 256 and dla().level2.root.conv.in_channels == 2 * 64


def test_every_parameter_trains_and_frozen_levels_do_not():
    model = dla()
    sum(x.sum() for x in model(torch.randn(1, 3, 64, 64)).values()).backward()
    assert [n for n, p in model.named_parameters() if p.grad is None] == []
    frozen = dla(freeze_at=2)
    trained = {n.split(".")[0] for n, p in frozen.named_parameters() if p.requires_grad}
    assert trained == {"level3", "level4", "level5"}


def test_a_tree_of_depth_one_by_hand():
    tree = Tree(1, 4, 4, 1, "BN").eval()
    x = torch.randn(1, 4, 5, 5)
    first = tree.tree1(x, x)
    second = tree.tree2(first, first)
    assert torch.equal(tree(x), tree.root(second, first))


def test_an_unknown_level_is_named():
    with pytest.raises(ValueError, match="level6"):
        dla(out_features=("level6",))
