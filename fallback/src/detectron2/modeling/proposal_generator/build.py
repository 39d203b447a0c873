"""Registry of proposal generators and the function that builds the configured one."""

from fvcore.common.registry import Registry

PROPOSAL_GENERATOR_REGISTRY = Registry("PROPOSAL_GENERATOR")
PROPOSAL_GENERATOR_REGISTRY.__doc__ = (
    "Classes built as `(cfg, input_shape: dict[str, ShapeSpec])`, found by MODEL.PROPOSAL_GENERATOR.NAME."
)

# The name of models whose inputs bring proposals along.
_NO_GENERATOR = "PrecomputedProposals"


def build_proposal_generator(cfg, input_shape):
    """Builds the generator that MODEL.PROPOSAL_GENERATOR.NAME names.

    Args:
        cfg: a config node.
        input_shape: dict: feature name -> ShapeSpec.

    Returns:
        The module; None for "PrecomputedProposals".
    """
    name = cfg.MODEL.PROPOSAL_GENERATOR.NAME
    return None if name == _NO_GENERATOR else PROPOSAL_GENERATOR_REGISTRY.get(name)(cfg, input_shape)
