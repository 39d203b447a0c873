"""Registry of backbones and the function that builds the configured one."""

from fvcore.common.registry import Registry

from detectron2.layers import ShapeSpec

from .backbone import Backbone

BACKBONE_REGISTRY = Registry("BACKBONE")
BACKBONE_REGISTRY.__doc__ = "Callables `(cfg, input_shape: ShapeSpec) -> Backbone`, found by MODEL.BACKBONE.NAME."


def build_backbone(cfg, input_shape=None):
    """Builds the backbone that MODEL.BACKBONE.NAME names.

    Args:
        cfg: a config node.
        input_shape: ShapeSpec of the images; without it the number of channels is
            the length of MODEL.PIXEL_MEAN.

    Returns:
        The Backbone.

    Raises:
        KeyError: when nothing is registered under that name.
        AssertionError: when the registered callable returns something else.
    """
    name = cfg.MODEL.BACKBONE.NAME
    if input_shape is None:
        input_shape = ShapeSpec(channels=len(cfg.MODEL.PIXEL_MEAN))
    made = BACKBONE_REGISTRY.get(name)(cfg, input_shape)
    assert isinstance(made, Backbone), (
        f"MODEL.BACKBONE.NAME={name!r} made a {type(made).__name__}, which is no Backbone"
    )
    return made
