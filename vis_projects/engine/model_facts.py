"""What a checkpoint says about its classes, so that it runs on a video without the data set it was trained on."""

from typing import Any

from detectron2.config import CfgNode
from detectron2.data import MetadataCatalog

from vis_projects.engine.checkpointer import read_entry
from vis_projects.engine.errors import ConfigError

ENTRY = "facts"  # name in the checkpoint file


class ModelFacts:
    """The class names of a model; saved with every checkpoint.

    Attributes:
        class_names: by contiguous class index; empty if unknown.
    """

    def __init__(self, class_names: tuple[str, ...] = ()) -> None:
        self.class_names = tuple(class_names)

    @classmethod
    def from_cfg(cls, cfg: CfgNode) -> "ModelFacts":
        """From the config and the data sets that were loaded already."""
        names = tuple(cfg.DATASETS.CLASS_SUBSET)
        for dataset in [*cfg.DATASETS.TRAIN, *cfg.DATASETS.TEST]:
            names = names or tuple(MetadataCatalog.get(dataset).get("thing_classes") or ())
        return cls(names)

    @classmethod
    def from_checkpoint(cls, path: str) -> "ModelFacts":
        """From a checkpoint file; without names if it has none, as files of other programs."""
        state = read_entry(path, ENTRY) if path else None
        return cls(tuple(state["class_names"]) if state else ())

    def state_dict(self) -> dict[str, Any]:
        """Plain values for the checkpoint."""
        return {"class_names": list(self.class_names)}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Takes over what `state_dict` gave."""
        self.class_names = tuple(state["class_names"])

    def indices_of(self, names: tuple[str, ...]) -> list[int]:
        """Contiguous classes of the given names or numbers.

        Raises:
            ConfigError: a name that the model does not have.
        """
        known = {name: index for index, name in enumerate(self.class_names)}
        for index in range(len(known)):
            known.setdefault(str(index), index)
        wrong = [name for name in names if name not in known and (self.class_names or not name.isdigit())]
        if wrong:
            listed = ", ".join(self.class_names) or "no names; give class numbers"
            raise ConfigError(f"--classes: the model has no class {', '.join(wrong)}; it has {listed}")
        return [known[name] if name in known else int(name) for name in names]
