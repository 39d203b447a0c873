"""Modules stay under 500 lines and functions under 60, tests' data and tables apart."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
SOURCES = sorted(p for room in ("vis_projects", "fallback/src", "benchmarks") for p in (ROOT / room).rglob("*.py"))
MAX_MODULE_LINES, MAX_FUNCTION_LINES = 500, 60


def longest_functions(tree: ast.AST) -> list[tuple[str, int]]:
    """(name, code lines without the docstring) of each function."""
    sizes = []
    for node in ast.walk(tree):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            first = node.body[0]
            docstring = isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant)
            documented = first.end_lineno - first.lineno + 1 if docstring else 0
            sizes.append((node.name, node.end_lineno - node.lineno + 1 - documented))
    return sizes


@pytest.mark.parametrize("path", SOURCES, ids=lambda p: str(p.relative_to(ROOT)))
def test_module_and_functions_are_short(path):
    text = path.read_text()
    assert text.count("\n") <= MAX_MODULE_LINES
    too_long = [(name, lines) for name, lines in longest_functions(ast.parse(text)) if lines > MAX_FUNCTION_LINES]
    assert not too_long


def test_train_net_holds_no_logic():
    assert (ROOT / "train_net.py").read_text().count("\n") < 150


def test_function_length_leaves_out_the_docstring():
    tree = ast.parse('def f():\n    """One\n\n    more."""\n    return 1\n')
    assert longest_functions(tree) == [("f", 2)]
