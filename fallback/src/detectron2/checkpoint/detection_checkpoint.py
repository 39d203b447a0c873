"""``DetectionCheckpointer``: reads .pth, the model zoo's .pkl, Caffe2 .pkl and .pyth files."""

import logging
import os
from urllib.parse import parse_qs, urlparse

import torch
from fvcore.common.checkpoint import Checkpointer
from torch.nn.parallel import DistributedDataParallel

from detectron2.checkpoint._impl.key_matching import align_and_update_state_dicts, as_tensors
from detectron2.checkpoint._impl.safe_pickle import ArrayUnpickler
from detectron2.utils import comm
from detectron2.utils.file_io import PathManager

# constants of a config, not weights: older files lack them
_NOT_WEIGHTS = ("pixel_mean", "pixel_std")


class DetectionCheckpointer(Checkpointer):
    """fvcore's checkpointer for the files of this project and of the model zoo.

    A path may end in ``?matching_heuristics=True``: keys are then matched by suffix, as for Caffe2 files.
    """

    def __init__(self, model, save_dir="", *, save_to_disk=None, **checkpointables):
        """
        Args:
            save_to_disk: whether ``save`` writes; None means on the main process only.
            checkpointables: objects with state_dict and load_state_dict, saved beside the model.
        """
        on_main = comm.is_main_process() if save_to_disk is None else save_to_disk
        super().__init__(model, save_dir, save_to_disk=on_main, **checkpointables)
        self.path_manager = PathManager
        self._parsed_url_during_load = None

    def load(self, path, *args, **kwargs):
        """fvcore's ``load``, aware of queries in the path; in several processes every one must see the file.

        Raises:
            ValueError: an unknown query. AssertionError: a missing file, or a former load that failed.
        """
        assert self._parsed_url_during_load is None, "a former load of this checkpointer failed: make a new one"
        logging.getLogger(__name__).info("[DetectionCheckpointer] Loading from %s ...", path)
        parsed = urlparse(path or "")
        self._parsed_url_during_load = parsed
        plain = parsed._replace(query="").geturl() if path else ""
        plain = self.path_manager.get_local_path(plain) if plain else ""
        self._check_visible_everywhere(plain)
        loaded = super().load(plain, *args, **kwargs)
        self._parsed_url_during_load = None
        return loaded

    def _check_visible_everywhere(self, path: str) -> None:
        if not path or not isinstance(self.model, DistributedDataParallel):
            return
        seen = comm.all_gather(os.path.isfile(path))
        if not all(seen) and os.path.isfile(path):
            logging.getLogger(__name__).warning(
                "%s is not visible to all processes; its weights reach the others from this one.", path
            )

    def _load_file(self, filename):
        ending = os.path.splitext(filename)[1]
        if ending == ".pkl":
            return self._read_pickle(filename)
        if ending == ".pyth":
            with PathManager.open(filename, "rb") as stream:
                content = torch.load(stream, map_location="cpu", weights_only=True)
            assert "model_state" in content, f"{filename} has no key model_state"
            weights = {key: value for key, value in content["model_state"].items()
                       if not key.endswith("num_batches_tracked")}
            return {"model": weights, "__author__": "pycls", "matching_heuristics": True}
        loaded = super()._load_file(filename)
        if "model" not in loaded:
            loaded = {"model": loaded}
        return self._apply_query(loaded, filename)

    def _read_pickle(self, filename):
        with PathManager.open(filename, "rb") as stream:
            content = ArrayUnpickler(stream, encoding="latin1").load()
        if "model" in content and "__author__" in content:
            self.logger.info("Reading a file from '%s'", content["__author__"])
            return content
        weights = content.get("blobs", content)  # a Caffe2 model, with or without its wrapping
        weights = {key: value for key, value in weights.items() if not key.endswith("_momentum")}
        return {"model": weights, "__author__": "Caffe2", "matching_heuristics": True}

    def _apply_query(self, loaded, filename):
        assert self._parsed_url_during_load is not None, "`_load_file` must be called inside `load`"
        query = parse_qs(self._parsed_url_during_load.query)
        if query.pop("matching_heuristics", ["False"]) == ["True"]:
            loaded["matching_heuristics"] = True
        if query:
            raise ValueError(f"Unsupported query {query} in the path of {filename}: only matching_heuristics is known")
        return loaded

    def _load_model(self, checkpoint):
        if checkpoint.get("matching_heuristics", False):
            weights = as_tensors(checkpoint["model"])
            checkpoint["model"] = align_and_update_state_dicts(
                self.model.state_dict(), weights, c2_conversion=checkpoint.get("__author__") == "Caffe2"
            )
        incompatible = super()._load_model(checkpoint)
        buffers = dict(self.model.named_buffers(recurse=False))
        for name in _NOT_WEIGHTS:
            if name in buffers and name in incompatible.missing_keys:
                incompatible.missing_keys.remove(name)
        # anchors of old files are computed here
        for key in list(incompatible.unexpected_keys):
            if "anchor_generator.cell_anchors" in key:
                incompatible.unexpected_keys.remove(key)
        return incompatible
