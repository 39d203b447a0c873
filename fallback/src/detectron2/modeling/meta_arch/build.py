"""Registry of whole models and the function that builds the configured one."""

import torch
from fvcore.common.registry import Registry

META_ARCH_REGISTRY = Registry("META_ARCH")
META_ARCH_REGISTRY.__doc__ = "Callables `(cfg) -> nn.Module`, found by MODEL.META_ARCHITECTURE."


def build_model(cfg):
    """Builds the model that MODEL.META_ARCHITECTURE names, on MODEL.DEVICE.

    Weights are drawn at random; load some with a DetectionCheckpointer.

    Args:
        cfg: a config node.

    Returns:
        The module, in training mode.
    """
    architecture = META_ARCH_REGISTRY.get(cfg.MODEL.META_ARCHITECTURE)
    return architecture(cfg).to(torch.device(cfg.MODEL.DEVICE))
