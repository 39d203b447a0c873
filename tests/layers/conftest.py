"""Parameters of the op tests: devices, dtypes, memory layouts."""

import pytest
import torch

from tests.layers.op_tester import DEVICES


@pytest.fixture(params=DEVICES)
def op_device(request):
    return request.param


@pytest.fixture(params=[torch.float64, torch.float32, torch.bfloat16, torch.float16], ids=lambda d: str(d)[6:])
def dtype(request):
    return request.param


@pytest.fixture(params=["contiguous", "view", "swapped"])
def layout(request):
    return request.param
