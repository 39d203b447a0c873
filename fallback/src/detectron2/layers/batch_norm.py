"""Normalisation layers and ``get_norm``, which makes one from its name."""

import torch
import torch.distributed as dist
import torch.nn.functional as F
from torch import nn

from detectron2._impl.placeholders import placeholder_getattr
from detectron2.layers.wrappers import BatchNorm2d
from detectron2.utils import comm

__getattr__ = placeholder_getattr(__name__, ("CycleBatchNormList",))


class FrozenBatchNorm2d(nn.Module):
    """Batch norm with constant statistics and constant affine parameters.

    y = (x - running_mean) / sqrt(running_var + eps) * weight + bias, per channel. All four are buffers.
    State dicts of a version below 2 carry no statistics (they were folded into weight and bias): 0 and 1 are filled in.
    """

    _version = 3

    def __init__(self, num_features, eps=1e-5):
        """Args:
            num_features: channels.
            eps: added to the variance.
        """
        super().__init__()
        self.num_features = num_features
        self.eps = eps
        self.register_buffer("weight", torch.ones(num_features))
        self.register_buffer("bias", torch.zeros(num_features))
        self.register_buffer("running_mean", torch.zeros(num_features))
        # So that a new layer is the identity.
        self.register_buffer("running_var", torch.ones(num_features) - eps)
        self.register_buffer("num_batches_tracked", None)

    def forward(self, x):
        """Normalise an N x C x ... tensor; the dtype of the result is that of x."""
        if not x.requires_grad:
            return F.batch_norm(
                x, self.running_mean, self.running_var, self.weight, self.bias, training=False, eps=self.eps
            )
        # F.batch_norm would keep x for gradients of the affine parameters, which nobody needs here.
        scale = self.weight * torch.rsqrt(self.running_var + self.eps)
        shift = self.bias - self.running_mean * scale
        per_channel = (1, -1, 1, 1)
        return x * scale.reshape(per_channel).to(x.dtype) + shift.reshape(per_channel).to(x.dtype)

    def _load_from_state_dict(self, state_dict, prefix, local_metadata, *args):
        version = local_metadata.get("version", None)
        if version is None or version < 2:
            state_dict.setdefault(prefix + "running_mean", torch.zeros_like(self.running_mean))
            state_dict.setdefault(prefix + "running_var", torch.ones_like(self.running_var))
        super()._load_from_state_dict(state_dict, prefix, local_metadata, *args)

    def __repr__(self):
        return f"FrozenBatchNorm2d(num_features={self.num_features}, eps={self.eps})"

    @classmethod
    def convert_frozen_batchnorm(cls, module):
        """Replace every BatchNorm2d and SyncBatchNorm in a module by a frozen layer with the same values.

        Returns:
            The module itself with its children replaced, or the new layer when the module is a norm.
        """
        return _replace(module, (nn.BatchNorm2d, nn.SyncBatchNorm), lambda norm: _copy_norm(norm, cls))

    @classmethod
    def convert_frozenbatchnorm2d_to_batchnorm2d(cls, module: nn.Module) -> nn.Module:
        """Replace every frozen layer in a module by a trainable BatchNorm2d with the same values."""
        return _replace(module, cls, lambda norm: _copy_norm(norm, nn.BatchNorm2d))


def _replace(module, kinds, convert):
    if isinstance(module, kinds):
        return convert(module)
    for name, child in list(module.named_children()):
        replaced = _replace(child, kinds, convert)
        if replaced is not child:
            setattr(module, name, replaced)
    return module


def _copy_norm(norm, kind):
    copy = kind(norm.num_features, norm.eps)
    if norm.weight is not None:
        copy.weight.data = norm.weight.data.clone().detach()
        copy.bias.data = norm.bias.data.clone().detach()
    copy.running_mean.data = norm.running_mean.data
    copy.running_var.data = norm.running_var.data
    copy.num_batches_tracked = norm.num_batches_tracked
    return copy


class LayerNorm(nn.Module):
    """Normalise an N x C x H x W tensor over its channels at each position."""

    def __init__(self, normalized_shape, eps=1e-6):
        """Args:
            normalized_shape: number of channels.
            eps: added to the variance.
        """
        super().__init__()
        self.weight = nn.Parameter(torch.ones(normalized_shape))
        self.bias = nn.Parameter(torch.zeros(normalized_shape))
        self.eps = eps
        self.normalized_shape = (normalized_shape,)

    def forward(self, x):
        """Map N x C x H x W to the same shape."""
        mean = x.mean(1, keepdim=True)
        centred = x - mean
        variance = centred.pow(2).mean(1, keepdim=True)
        return self.weight[:, None, None] * (centred / torch.sqrt(variance + self.eps)) + self.bias[:, None, None]


class NaiveSyncBatchNorm(BatchNorm2d):
    """Batch norm whose statistics come from all workers, in plain torch operations.

    ``stats_mode`` "" gives each worker the same weight; "N" weighs workers by their batch size and allows empty ones.
    Running variance is the biased one. With one worker, or in evaluation, it is BatchNorm2d.
    """

    def __init__(self, *args, stats_mode="", **kwargs):
        super().__init__(*args, **kwargs)
        assert stats_mode in ("", "N"), f"stats_mode is '' or 'N', got {stats_mode!r}"
        self._stats_mode = stats_mode

    def forward(self, input):
        """Normalise N x C x H x W; half precision is computed in float32."""
        if comm.get_world_size() == 1 or not self.training:
            return super().forward(input)
        x = input.float() if input.dtype == torch.float16 else input
        mean, square, momentum = self._shared_statistics(x)
        variance = square - mean * mean
        scale = self.weight * torch.rsqrt(variance + self.eps)
        shift = self.bias - mean * scale
        self.running_mean += momentum * (mean.detach() - self.running_mean)
        self.running_var += momentum * (variance.detach() - self.running_var)
        return (x * scale.reshape(1, -1, 1, 1) + shift.reshape(1, -1, 1, 1)).to(input.dtype)

    def _shared_statistics(self, x):
        """Return mean and mean square per channel over all workers, and the momentum to use."""
        batch, channels = x.shape[:2]
        if self._stats_mode == "":
            assert batch > 0, "an empty batch on a worker needs stats_mode 'N'"
            moments = torch.cat((x.mean(dim=(0, 2, 3)), (x * x).mean(dim=(0, 2, 3))))
            mean, square = (_SumOverWorkers.apply(moments) / dist.get_world_size()).split(channels)
            return mean, square, self.momentum
        if batch == 0:
            # The sum ties the zeros to x, so that every worker takes part in backward.
            moments = x.new_zeros(2 * channels + 1) + x.sum()
        else:
            one = x.new_ones(1)
            moments = torch.cat((x.mean(dim=(0, 2, 3)), (x * x).mean(dim=(0, 2, 3)), one)) * batch
        moments = _SumOverWorkers.apply(moments)
        total = moments[-1].detach()
        mean, square, _ = (moments / total.clamp(min=1)).split(channels)
        # Nothing is learnt from a step in which no worker has an image.
        return mean, square, total.clamp(max=1) * self.momentum


class _SumOverWorkers(torch.autograd.Function):
    @staticmethod
    def forward(ctx, values):
        total = values.clone()
        dist.all_reduce(total)
        return total

    @staticmethod
    def backward(ctx, grad):
        total = grad.clone()
        dist.all_reduce(total)
        return total


_NORMS = {
    "BN": BatchNorm2d,
    "SyncBN": nn.SyncBatchNorm,
    "nnSyncBN": nn.SyncBatchNorm,
    "FrozenBN": FrozenBatchNorm2d,
    "GN": lambda channels: nn.GroupNorm(32, channels),
    "naiveSyncBN": NaiveSyncBatchNorm,
    "naiveSyncBN_N": lambda channels: NaiveSyncBatchNorm(channels, stats_mode="N"),
    "LN": LayerNorm,
}


def get_norm(norm, out_channels):
    """Make a norm layer.

    Args:
        norm: "", None (no norm), "BN", "SyncBN", "nnSyncBN", "FrozenBN", "GN" (32 groups), "naiveSyncBN",
            "naiveSyncBN_N", "LN", or a callable that takes the number of channels.
        out_channels: channels.

    Raises:
        KeyError: unknown name.
    """
    if norm is None or norm == "":
        return None
    return (_NORMS[norm] if isinstance(norm, str) else norm)(out_channels)
