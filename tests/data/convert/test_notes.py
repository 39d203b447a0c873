"""Remarks of a conversion."""

from vis_projects.data.convert import ConvertNotes


def test_lines():
    notes = ConvertNotes()
    assert notes.lines() == [] and notes.image_root is None
    notes.assume("a"), notes.assume("b"), notes.assume("a")
    notes.drop("void pixels", 3), notes.drop("void pixels"), notes.drop("nothing", 0)
    assert notes.lines() == ["note: a", "note: b", "left out: 4 void pixels"]
