"""The record of a run; its content is tested with `setup`."""

from vis_projects.engine import run_record as module
from vis_projects.engine.run_record import git_revision


def test_git_revision_is_a_commit_or_nothing():
    revision = git_revision()
    assert revision is None or len(revision.split("+")[0]) == 40


def test_an_installed_copy_in_a_foreign_repository_has_no_revision(monkeypatch):
    def untracked(folder, *args):
        raise module.subprocess.CalledProcessError(1, "git")

    monkeypatch.setattr(module, "_git", untracked)
    assert git_revision() is None
    monkeypatch.setattr(module, "_git", lambda folder, *args: {"rev-parse": "c" * 40}.get(args[0], ""))
    assert git_revision() == "c" * 40
    monkeypatch.setattr(module, "_git", lambda folder, *args: {"rev-parse": "c" * 40}.get(args[0], "M x"))
    assert git_revision() == "c" * 40 + "+changes"
