from vis_projects.evaluation.params import EvalParams


def test_values_are_the_doubles_of_the_official_evaluator():
    params = EvalParams()
    assert params.iou_thresholds.tolist() == [.5, .55, .6, .65, .7, .75, .8, .85, 0.8999999999999999, .95]
    assert params.recall_points.tolist() == [i * 0.01 for i in range(101)]
    assert params.max_detections == (1, 10, 100)
    assert params.area_ranges == (
        ("all", 0, 1e10), ("small", 0, 16384), ("medium", 16384, 65536), ("large", 65536, 1e10)
    )
