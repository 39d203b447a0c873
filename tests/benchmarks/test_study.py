"""Studies are read with their rows' own choices, broken ones are refused, and tables hold the means over the seeds."""

import pytest

from benchmarks.ablation import table
from benchmarks.study import read_study

WHOLE = """
title: two rows
seeds: [0, 1]
config: quick_schedules/a.yaml
opts: {SOLVER.MAX_ITER: 10, INPUT.MIN_SIZE_TRAIN: "(96,)"}
rows:
  - name: "Base + X"
    opts: {SOLVER.MAX_ITER: 20}
  - name: other
    config: b.yaml
    weights_of: "Base + X"
"""


def write(tmp_path, text):
    path = tmp_path / "study.yaml"
    path.write_text(text)
    return path


def test_rows_take_what_all_share_and_their_own(tmp_path):
    study = read_study(write(tmp_path, WHOLE))
    first, second = study.rows
    assert study.seeds == (0, 1)
    assert first.config == "quick_schedules/a.yaml" and second.config == "b.yaml"
    assert first.opts == ("SOLVER.MAX_ITER", "20", "INPUT.MIN_SIZE_TRAIN", "(96,)")
    assert second.opts[:2] == ("SOLVER.MAX_ITER", "10")
    assert first.folder == "base_x" and second.weights_of == "Base + X"


@pytest.mark.parametrize(
    "old, new, words",
    [
        ("title: two rows", "name: two rows", "missing keys \\['title'\\]"),
        ("config: quick_schedules/a.yaml", "", "row 1 has no config"),
        ("name: other", "name: base_x", "taken"),
        ('weights_of: "Base + X"', "weights_of: Y", "weights_of is 'Y'"),
        ("config: b.yaml", "configs: b.yaml", "row 2: unknown keys \\['configs'\\]"),
    ],
)
def test_broken_studies_are_refused(tmp_path, old, new, words):
    with pytest.raises(ValueError, match=words):
        read_study(write(tmp_path, WHOLE.replace(old, new)))


def outcome(ap, loss):
    stats = {name: ap for name in ("AP", "AP50", "AP75", "AR10")}
    ends = {} if loss is None else {"total_loss": loss}
    return {"stats": stats, "tracking": {"pooled": {"HOTA": 0.5, "IDSW": 3}}, "losses_end": ends, "cpu_seconds": 90}


def test_table_holds_means_and_what_is_missing_is_left_out(tmp_path):
    study = read_study(write(tmp_path, WHOLE))
    lines = table(study, {}).splitlines()
    assert len(lines) == 2  # the head alone
    lines = table(study, {("Base + X", 0): outcome(0.10, 1.0), ("Base + X", 1): outcome(0.30, 2.0),
                          ("other", 1): outcome(0.25, None)}).splitlines()
    # mean of 10 and 30; sample deviation sqrt((10^2 + 10^2) / 1) = 14.1; loss (1 + 2) / 2; 90 s are 1.5 minutes
    assert lines[2] == "| Base + X | 20.0 | 20.0 | 20.0 | 20.0 | 10.0 / 30.0 | 14.1 | 50.0 | 3.0 | 1.50 | 1.5 |"
    assert lines[3] == "| other | 25.0 | 25.0 | 25.0 | 25.0 | 25.0 | - | 50.0 | 3.0 | - | 1.5 |"
