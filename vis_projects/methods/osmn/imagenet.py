"""VGG16's ImageNet weights as torchvision names them: `features.<k>`, `classifier.0` and `classifier.3`."""

import re

from torch import Tensor, nn

CONVOLUTION = re.compile(r"features\.(\d+)\.(weight|bias)")
FULLY_CONNECTED = {"classifier.0": "fc6", "classifier.3": "fc7"}


def expand_vgg_names(model: nn.Module, state: dict[str, Tensor]) -> None:
    """Gives a VGG16's layers to both networks of an OSMN, in place; other states stay as they are.

    The k-th convolution in the file becomes the k-th of the segmentation network and of the visual modulator; the last
    fully connected layer, that of the classes, is dropped. A layer of another shape is left out, so that the report of
    the loading names it as missing.

    Args:
        model: an `OSMN`.
        state: by name, the whole file.
    """
    numbers = sorted({int(match[1]) for name in state if (match := CONVOLUTION.fullmatch(name))})
    if not numbers:
        return
    renamed = []
    for network in ("segmentation", "visual"):
        part = getattr(model.propagator, network)
        if part is not None:
            places = [f"stages.{s}.{k}" for s, stage in enumerate(part.stages) for k in range(len(stage))]
            renamed += [(f"features.{n}", f"propagator.{network}.{place}") for n, place in zip(numbers, places)]
    renamed += [(theirs, f"propagator.visual.{ours}") for theirs, ours in FULLY_CONNECTED.items()]
    own = model.state_dict()
    for theirs, ours in renamed:
        for kind in ("weight", "bias"):
            value, target = state.get(f"{theirs}.{kind}"), own.get(f"{ours}.{kind}")
            if value is not None and target is not None and value.shape == target.shape:
                state[f"{ours}.{kind}"] = value
    for name in [name for name in state if name.startswith(("features.", "classifier."))]:
        del state[name]
