"""retry_if_cuda_oom: how often a function is tried."""

import pytest

from detectron2.utils.memory import retry_if_cuda_oom


def _fails(times, message="CUDA out of memory. Tried to allocate 1 GiB"):
    calls = []

    def work(value, *, scale=1):
        """Documented."""
        calls.append(value)
        if len(calls) <= times:
            raise RuntimeError(message)
        return value * scale

    return work, calls


@pytest.mark.parametrize("times", [0, 1, 2])
def test_three_attempts(times):
    work, calls = _fails(times)
    assert retry_if_cuda_oom(work)(3, scale=2) == 6
    assert len(calls) == times + 1


def test_third_failure_is_raised():
    work, calls = _fails(3)
    with pytest.raises(RuntimeError, match="out of memory"):
        retry_if_cuda_oom(work)(3)
    assert len(calls) == 3


def test_other_errors_are_raised_at_once():
    work, calls = _fails(1, "something else")
    with pytest.raises(RuntimeError, match="something else"):
        retry_if_cuda_oom(work)(3)
    assert len(calls) == 1


def test_keeps_the_name():
    work, _ = _fails(0)
    assert retry_if_cuda_oom(work).__name__ == "work" and retry_if_cuda_oom(work).__doc__ == "Documented."
