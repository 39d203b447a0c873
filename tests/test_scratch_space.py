"""What tests write does not pile up: a run of the suite must not fill a disk with checkpoints."""

pytest_plugins = ["pytester"]


def test_the_files_of_a_passed_test_are_gone_when_the_next_one_starts(pytester, pytestconfig):
    policy = pytestconfig.getini("tmp_path_retention_policy")
    pytester.makepyfile("""
        folders = []

        def test_writes(tmp_path):
            (tmp_path / "model_final.pth").write_bytes(b"weights")
            folders.append(tmp_path)

        def test_comes_after_it():
            assert not folders[0].exists()
    """)
    result = pytester.runpytest_subprocess("-p", "no:xdist", "-o", f"tmp_path_retention_policy={policy}")
    result.assert_outcomes(passed=2)
