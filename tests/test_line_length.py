"""No line of Python is longer than 120 characters."""

from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
MAX_LINE_CHARACTERS = 120
ROOMS = ("vis_projects", "benchmarks", "tests", "csrc", "fallback/src", "fallback/tests")


def long_lines(text: str) -> list[int]:
    """Numbers of the lines that are too long, from 1 on."""
    return [number for number, line in enumerate(text.split("\n"), 1) if len(line) > MAX_LINE_CHARACTERS]


def test_no_line_of_python_is_too_long():
    sources = [*ROOT.glob("*.py"), *(path for room in ROOMS for path in (ROOT / room).rglob("*.py"))]
    assert {ROOT / "setup.py", ROOT / "train_net.py", Path(__file__).resolve()} <= set(sources)
    found = [f"{path.relative_to(ROOT)}:{number}" for path in sorted(sources)
             for number in long_lines(path.read_text(encoding="utf-8"))]
    assert not found


def test_lines_are_counted_from_one_and_by_characters():
    # 120 characters of two bytes each are not too long
    assert long_lines("\n".join(["é" * 120, "x" * 121, "", "y" * 200])) == [2, 4]
