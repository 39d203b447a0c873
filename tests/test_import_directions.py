"""The rooms of the house import each other in one direction only, and only public names of detectron2."""

import ast
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parent.parent / "vis_projects"

# room -> the rooms it may import
ALLOWED = {
    "utils": set(),
    "layers": {"utils"},
    "structures": {"utils", "layers"},
    "config": {"utils"},
    "data": {"utils", "layers", "structures", "config"},
    "tracking": {"utils", "layers", "structures", "config"},
    "modeling": {"utils", "layers", "structures", "config"},
    "methods": {"utils", "layers", "structures", "config", "data", "tracking", "modeling"},
    "evaluation": {"utils", "layers", "structures"},
    "visualization": {"utils", "layers", "structures"},
    "model_zoo": {"utils", "config"},
    "engine": {"utils", "layers", "structures", "config", "data", "tracking", "modeling", "methods", "evaluation",
               "visualization", "model_zoo"},
    "cli": {"engine", "utils"},
}
OPTIONAL_AT_IMPORT = {"cv2", "av", "matplotlib", "tensorboard"}


def modules() -> list[Path]:
    return sorted(PACKAGE.rglob("*.py"))


def imported_names(tree: ast.AST) -> list[tuple[str, bool]]:
    """(dotted name, whether the import runs when the module is imported) of every import of a module."""
    top_level = {id(node) for node in _outside_functions(tree)}
    names = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names += [(alias.name, id(node) in top_level) for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are absolute here"
            names += [(f"{node.module}.{alias.name}", id(node) in top_level) for alias in node.names]
    return names


def _outside_functions(node: ast.AST):
    for child in ast.iter_child_nodes(node):
        if not isinstance(child, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)):
            yield child
            yield from _outside_functions(child)


@pytest.mark.parametrize("path", modules(), ids=lambda p: str(p.relative_to(PACKAGE)))
def test_module_imports_only_what_its_room_may(path):
    parts = path.relative_to(PACKAGE).parts
    if len(parts) == 1:
        return  # vis_projects/__init__.py is the public face of all rooms
    room = parts[0]
    for name, at_import in imported_names(ast.parse(path.read_text())):
        pieces = name.split(".")
        if pieces[0] == "vis_projects" and len(pieces) > 1 and pieces[1] in ALLOWED and pieces[1] != room:
            assert pieces[1] in ALLOWED[room], f"{room} must not import {name}"
        if room == "methods" and pieces[:2] == ["vis_projects", "methods"] and len(parts) > 2 and len(pieces) > 2:
            assert pieces[2] == parts[1], f"a method must not import another method: {name}"
        if pieces[0] == "detectron2":
            assert not any(piece.startswith("_") for piece in pieces), f"private name of detectron2: {name}"
        if at_import:
            assert pieces[0] not in OPTIONAL_AT_IMPORT, f"{pieces[0]} must be imported inside a function"


def test_every_room_is_known():
    rooms = {path.name for path in PACKAGE.iterdir() if path.is_dir() and any(path.glob("*.py"))}
    assert rooms - {"__pycache__"} <= set(ALLOWED)


def test_a_forbidden_import_is_seen():
    tree = ast.parse("import cv2\ndef f():\n    from vis_projects.engine import VISTrainer\n")
    assert imported_names(tree) == [("cv2", True), ("vis_projects.engine.VISTrainer", False)]
