"""``PathManager``: opens local files, http(s) URLs and ``detectron2://`` paths of the model zoo."""

from iopath.common.file_io import HTTPURLHandler, OneDrivePathHandler, PathHandler
from iopath.common.file_io import PathManager as _PathManager

__all__ = ["PathManager", "PathHandler"]


class Detectron2Handler(PathHandler):
    """Maps ``detectron2://x`` to the public storage of the model zoo, cached on disk like any URL."""

    PREFIX = "detectron2://"
    S3_DETECTRON2_PREFIX = "https://dl.fbaipublicfiles.com/detectron2/"

    def _get_supported_prefixes(self):
        return [self.PREFIX]

    def _get_local_path(self, path, **kwargs):
        return PathManager.get_local_path(self.S3_DETECTRON2_PREFIX + path.removeprefix(self.PREFIX), **kwargs)

    def _open(self, path, mode="r", **kwargs):
        return PathManager.open(self._get_local_path(path), mode, **kwargs)


# An instance of our own: handlers registered here do not leak into other libraries.
PathManager = _PathManager()
for _handler in (HTTPURLHandler(), OneDrivePathHandler(), Detectron2Handler()):
    PathManager.register_handler(_handler)
