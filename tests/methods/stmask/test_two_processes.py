"""STMask in two gloo processes: the same parameters in both, and one result."""

from tests.methods.two_processes import train_two_processes


def test_two_processes_hold_the_same_parameters(tmp_path):
    facts, metrics = train_two_processes(
        "quick_schedules/stmask_R_50_FPN_narrow_synthvis_tiny.yaml", tmp_path, ("MODEL.STMASK.TEST.TOPK", "10"))
    assert [fact["world"] for fact in facts] == [2, 2]
    assert facts[0]["hash"] == facts[1]["hash"]
    assert any("loss_box_shift" in line for line in metrics) and any("segm/AP" in line for line in metrics)
