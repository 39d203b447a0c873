"""The evaluation loop, evaluators and the printing and checking of results."""

import logging

import pytest
import torch
from detectron2.config import get_cfg
from detectron2.evaluation import (
    DatasetEvaluator,
    DatasetEvaluators,
    inference_context,
    inference_on_dataset,
    print_csv_format,
    verify_results,
)
from detectron2.evaluation.testing import flatten_results_dict
from torch import nn


class Recorder(DatasetEvaluator):
    def __init__(self, result):
        self.result = result
        self.log = []

    def reset(self):
        self.log.append("reset")

    def process(self, inputs, outputs):
        self.log.append((inputs, outputs))

    def evaluate(self):
        return self.result


class Flags(nn.Module):
    def forward(self, inputs):
        return self.training, torch.is_grad_enabled()


@pytest.fixture
def log_lines(caplog):
    logger = logging.getLogger("detectron2")
    caplog.set_level(logging.INFO, "detectron2")
    logger.addHandler(caplog.handler)
    yield lambda: list(dict.fromkeys(caplog.messages))
    logger.removeHandler(caplog.handler)


def test_loop_runs_in_eval_mode_without_gradients_and_restores():
    model, evaluator = Flags(), Recorder({"task": 1})
    assert inference_on_dataset(model, [1, 2], evaluator) == {"task": 1}
    assert evaluator.log == ["reset", (1, (False, False)), (2, (False, False))]
    assert model.training


def test_loop_with_no_result_no_evaluator_or_several():
    assert inference_on_dataset(Flags(), [1], Recorder(None)) == {}
    assert inference_on_dataset(Flags(), [1], None) == {}
    assert inference_on_dataset(Flags(), [1], [Recorder({"a": 1}), Recorder({"b": 2})]) == {"a": 1, "b": 2}
    with pytest.raises(TypeError):
        inference_on_dataset(Flags(), iter([1]), None)


def test_callbacks_are_called_around_each_batch():
    calls = []
    events = ("on_start", "before_inference", "after_inference", "on_end")
    callbacks = {event: lambda event=event: calls.append(event) for event in events}
    inference_on_dataset(Flags(), [1, 2], None, callbacks=callbacks)
    assert calls == ["on_start", *["before_inference", "after_inference"] * 2, "on_end"]


def test_evaluators_are_merged_but_must_not_overlap():
    assert DatasetEvaluators([Recorder(None), Recorder({"a": 1})]).evaluate() == {"a": 1}
    with pytest.raises(AssertionError):
        DatasetEvaluators([Recorder({"a": 1}), Recorder({"a": 2})]).evaluate()


def test_context_restores_the_training_flag():
    model = Flags()
    with inference_context(model):
        assert not model.training
    assert model.training


def test_csv_lines(log_lines):
    print_csv_format({"segm": {"AP": 12.34567, "AP-person": 3.0, "AP50": float("nan")}, "x": 3.5})
    assert log_lines()[-4:] == ["copypaste: Task: segm", "copypaste: AP,AP50", "copypaste: 12.3457,nan",
                                "copypaste: x=3.5"]
    with pytest.raises(AssertionError):
        print_csv_format([1])


@pytest.mark.parametrize("value, passes", [(10.5, True), (11.0, True), (11.5, False), (float("nan"), False)])
def test_results_are_checked_against_the_expected(value, passes):
    cfg = get_cfg()
    assert verify_results(cfg, {}) is True
    cfg.TEST.EXPECTED_RESULTS = [["segm", "AP", 10.0, 1.0]]
    if passes:
        assert verify_results(cfg, {"segm": {"AP": value}}) is True
    else:
        with pytest.raises(SystemExit) as stop:
            verify_results(cfg, {"segm": {"AP": value}})
        assert stop.value.code == 1


def test_missing_metric_fails_and_missing_task_raises():
    cfg = get_cfg()
    cfg.TEST.EXPECTED_RESULTS = [["segm", "AP", 10.0, 1.0]]
    with pytest.raises(SystemExit):
        verify_results(cfg, {"segm": {}})
    with pytest.raises(KeyError):
        verify_results(cfg, {})


def test_flatten():
    assert flatten_results_dict({"a": {"b": {"c": 1}, "d": 2}, "e": 3}) == {"a/b/c": 1, "a/d": 2, "e": 3}
