"""PathManager."""

from iopath.common.file_io import PathManagerFactory

from detectron2.utils import file_io
from detectron2.utils.file_io import PathManager


def test_local_files(tmp_path):
    path = str(tmp_path / "folder" / "file.txt")
    PathManager.mkdirs(str(tmp_path / "folder"))
    with PathManager.open(path, "w") as file:
        file.write("text")
    assert PathManager.isfile(path) and PathManager.exists(path)
    assert PathManager.open(path).read() == "text"
    assert PathManager.get_local_path(path) == path


def test_handlers_are_our_own():
    prefixes = set(PathManager._path_handlers)
    assert {"http://", "https://", "detectron2://"} <= prefixes
    assert PathManager is not PathManagerFactory.get()


def test_model_zoo_paths_are_fetched_from_the_public_storage(monkeypatch):
    asked = []
    handler = PathManager._path_handlers["https://"]
    monkeypatch.setattr(type(handler), "_get_local_path", lambda self, path, **_: asked.append(path) or "/cache/x.pkl")
    assert file_io.PathManager.get_local_path("detectron2://a/b/x.pkl") == "/cache/x.pkl"
    assert asked == ["https://dl.fbaipublicfiles.com/detectron2/a/b/x.pkl"]
