"""FrozenBatchNorm2d and its conversions, get_norm."""

import pytest
import torch
from torch import nn

from detectron2.layers import FrozenBatchNorm2d, NaiveSyncBatchNorm, get_norm


@pytest.fixture
def frozen():
    layer = FrozenBatchNorm2d(2, eps=0.0)
    layer.weight.copy_(torch.tensor([2.0, 3]))
    layer.bias.copy_(torch.tensor([1.0, -1]))
    layer.running_mean.copy_(torch.tensor([4.0, 5]))
    layer.running_var.copy_(torch.tensor([4.0, 9]))
    return layer


class TestFrozen:
    def test_new_layer_is_the_identity(self):
        x = torch.randn(2, 3, 4, 4)
        assert torch.allclose(FrozenBatchNorm2d(3)(x), x, atol=1e-6)
        assert FrozenBatchNorm2d(3, eps=0.1).running_var.tolist() == pytest.approx([0.9] * 3)

    def test_empty_batch(self, frozen):
        assert frozen(torch.zeros(0, 2, 3, 3)).shape == (0, 2, 3, 3)

    @pytest.mark.parametrize("requires_grad", [False, True])
    def test_values(self, frozen, requires_grad):
        x = torch.tensor([6.0, 8.0]).reshape(1, 2, 1, 1).requires_grad_(requires_grad)
        # (6 - 4) / 2 * 2 + 1 = 3 and (8 - 5) / 3 * 3 - 1 = 2
        assert frozen(x).flatten().tolist() == pytest.approx([3, 2])

    def test_gradient_is_the_scale(self, frozen):
        x = torch.ones(1, 2, 1, 1, requires_grad=True)
        frozen(x).sum().backward()
        # 2 / sqrt(4) and 3 / sqrt(9)
        assert x.grad.flatten().tolist() == pytest.approx([1, 1])

    def test_keeps_half_precision(self, frozen):
        x = torch.ones(1, 2, 1, 1, dtype=torch.float16)
        assert frozen(x).dtype == torch.float16
        assert frozen(x.requires_grad_()).dtype == torch.float16

    def test_only_buffers_in_a_fixed_order(self, frozen):
        assert list(frozen.parameters()) == []
        assert list(frozen.state_dict()) == ["weight", "bias", "running_mean", "running_var"]
        assert repr(frozen) == "FrozenBatchNorm2d(num_features=2, eps=0.0)"

    @pytest.mark.parametrize("version", [None, 1])
    def test_old_files_without_statistics(self, frozen, version):
        state = frozen.state_dict()
        del state["running_mean"], state["running_var"]
        state._metadata[""]["version"] = version
        layer = FrozenBatchNorm2d(2)
        layer.load_state_dict(state)
        assert layer.running_mean.tolist() == [0, 0] and layer.running_var.tolist() == [1, 1]
        assert layer.weight.tolist() == [2, 3]

    def test_new_files_must_have_them(self, frozen):
        state = frozen.state_dict()
        del state["running_mean"]
        with pytest.raises(RuntimeError):
            FrozenBatchNorm2d(2).load_state_dict(state)


class TestConversion:
    def test_freezes_inside_modules(self):
        inner = nn.Sequential(nn.BatchNorm2d(4, eps=0.5))
        module = nn.Sequential(nn.SyncBatchNorm(3), nn.ReLU(), inner, nn.GroupNorm(1, 2))
        converted = FrozenBatchNorm2d.convert_frozen_batchnorm(module)
        assert converted is module
        assert isinstance(module[0], FrozenBatchNorm2d) and isinstance(module[2][0], FrozenBatchNorm2d)
        assert module[2][0].eps == 0.5 and isinstance(module[3], nn.GroupNorm)

    def test_freezes_a_norm_with_its_values(self):
        norm = nn.BatchNorm2d(2)
        norm(torch.randn(4, 2, 3, 3))
        frozen = FrozenBatchNorm2d.convert_frozen_batchnorm(norm)
        for name, value in norm.state_dict().items():
            assert torch.equal(frozen.state_dict()[name], value)
        assert "num_batches_tracked" in frozen.state_dict()

    def test_back_to_a_trainable_norm(self, frozen):
        norm = FrozenBatchNorm2d.convert_frozenbatchnorm2d_to_batchnorm2d(nn.Sequential(frozen))[0]
        assert type(norm) is nn.BatchNorm2d and norm.weight.requires_grad
        x = torch.randn(2, 2, 3, 3)
        assert torch.allclose(norm.eval()(x), frozen(x), atol=1e-5)

    def test_other_modules_stay(self):
        linear, norm = nn.Linear(1, 1), nn.BatchNorm1d(3)
        assert FrozenBatchNorm2d.convert_frozen_batchnorm(linear) is linear
        assert FrozenBatchNorm2d.convert_frozen_batchnorm(norm) is norm


class TestGetNorm:
    @pytest.mark.parametrize("nothing", [None, ""])
    def test_none(self, nothing):
        assert get_norm(nothing, 3) is None

    @pytest.mark.parametrize(
        ("name", "kind"),
        [
            ("BN", nn.BatchNorm2d),
            ("SyncBN", nn.SyncBatchNorm),
            ("nnSyncBN", nn.SyncBatchNorm),
            ("FrozenBN", FrozenBatchNorm2d),
            ("naiveSyncBN", NaiveSyncBatchNorm),
            ("naiveSyncBN_N", NaiveSyncBatchNorm),
        ],
    )
    def test_names(self, name, kind):
        norm = get_norm(name, 3)
        assert type(norm) is kind and norm.num_features == 3

    def test_group_norm_has_32_groups(self):
        assert get_norm("GN", 64).num_groups == 32
        with pytest.raises(ValueError):
            get_norm("GN", 3)

    def test_layer_norm_works_over_channels(self):
        norm = get_norm("LN", 2)
        x = torch.tensor([1.0, 3.0]).reshape(1, 2, 1, 1)
        # mean 2, variance 1
        assert norm(x).flatten().tolist() == pytest.approx([-1, 1], abs=1e-5)
        assert norm.eps == 1e-6 and list(norm.state_dict()) == ["weight", "bias"]

    def test_callables_and_unknown_names(self):
        assert get_norm(lambda channels: nn.GroupNorm(1, channels), 5).num_channels == 5
        with pytest.raises(KeyError):
            get_norm("nonsense", 3)


def test_naive_sync_norm_of_one_process_is_batch_norm():
    x = torch.randn(2, 3, 4, 4)
    for mode in ("", "N"):
        assert torch.equal(NaiveSyncBatchNorm(3, stats_mode=mode)(x), nn.BatchNorm2d(3)(x))
    with pytest.raises(AssertionError):
        NaiveSyncBatchNorm(3, stats_mode="X")
