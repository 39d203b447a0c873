"""Prints results in a form to copy, and checks them against expected values."""

import logging
import pprint
import sys
from collections.abc import Mapping

import numpy as np


def print_csv_format(results):
    """Log each task's metrics as two comma-separated lines; metrics with "-" in their name are left out.

    Args:
        results: ordered dict of task -> dict of metric -> number, or of name -> number.
    """
    assert isinstance(results, Mapping) or not len(results), results
    logger = logging.getLogger(__name__)
    for task, metrics in results.items():
        if not isinstance(metrics, Mapping):
            logger.info("copypaste: %s=%s", task, metrics)
            continue
        shown = {name: value for name, value in metrics.items() if "-" not in name}
        logger.info("copypaste: Task: %s", task)
        logger.info("copypaste: %s", ",".join(shown))
        logger.info("copypaste: %s", ",".join(f"{value:.4f}" for value in shown.values()))


def verify_results(cfg, results):
    """Compare with TEST.EXPECTED_RESULTS, a list of (task, metric, expected, tolerance).

    Returns:
        True when all lie within their tolerance; otherwise the process exits with status 1.
    """
    expected = cfg.TEST.EXPECTED_RESULTS
    if not len(expected):
        return True
    failed = False
    for task, metric, value, tolerance in expected:
        actual = results[task].get(metric)
        # a missing metric and NaN both fail
        failed |= actual is None or not np.isfinite(actual) or abs(actual - value) > tolerance
    logger = logging.getLogger(__name__)
    if failed:
        logger.error("Result verification failed!")
        logger.error("Expected Results: %s", expected)
        logger.error("Actual Results: %s", pprint.pformat(results))
        sys.exit(1)
    logger.info("Results verification passed.")
    return True


def flatten_results_dict(results):
    """{"a": {"b": 1}} -> {"a/b": 1}, to any depth."""
    flat = {}
    for key, value in results.items():
        if isinstance(value, Mapping):
            flat.update({f"{key}/{below}": leaf for below, leaf in flatten_results_dict(value).items()})
        else:
            flat[key] = value
    return flat
