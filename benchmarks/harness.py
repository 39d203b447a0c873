"""Times contenders of one job side by side: turns in one process, medians, floors from rates measured beside them.

On shared machines only ratios inside one run mean something. A floor is the work of a case (products, exponentials,
bytes) divided by the rate at which this machine does such work alone; on a CPU arithmetic and exponentials add up, on a
GPU the larger counts.
"""

import ctypes
import gc
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch

MIN_TURN_SECONDS = 0.02  # a turn repeats a short call until it lasts so long
CACHE_BYTES = 24e6  # a working set below it is taken to stay in the CPU's last cache


@dataclass(frozen=True)
class BenchCase:
    """One job and those who can do it.

    Attributes:
        name: of the case.
        make: -> inputs on the device.
        contenders: name -> function of the inputs, our own first; each returns the output tensor.
        gflop, gexp, megabytes: work of the forward pass; each input read once, each output written once.
        backward_gflop, backward_gexp, backward_megabytes: of forward and backward together.
        differentiable: indices of the inputs that get gradients in the measurement of forward and backward.
    """

    name: str
    make: Callable[[], tuple]
    contenders: dict[str, Callable]
    gflop: float
    gexp: float
    megabytes: float
    backward_gflop: float
    backward_gexp: float
    backward_megabytes: float
    differentiable: tuple[int, ...]


@dataclass(frozen=True)
class Rates:
    """What the machine does alone: GFLOP/s of a matrix product, Gexp/s, GB/s out of memory and out of the cache."""

    gflops: float
    gexps: float
    memory_gbytes: float
    cache_gbytes: float
    adds_up: bool

    def floor_ms(self, gflop: float, gexp: float, megabytes: float) -> float:
        """Least time of a job in milliseconds."""
        arithmetic = (gflop / self.gflops, gexp / self.gexps)
        in_cache = self.adds_up and megabytes * 1e6 <= CACHE_BYTES
        moving = megabytes / 1e3 / (self.cache_gbytes if in_cache else self.memory_gbytes)
        return 1e3 * max(sum(arithmetic) if self.adds_up else max(arithmetic), moving)


def measure_rates(device: str, dtype: torch.dtype) -> Rates:
    """Rates of this machine now; medians of seven."""
    size = 1024 if device == "cpu" else 8192
    a = torch.randn(size, size, device=device, dtype=dtype)
    product = _seconds(lambda: a @ a, device)
    x = torch.rand(1 << 20 if device == "cpu" else 1 << 26, device=device)
    exps = _seconds(lambda: torch.exp(x, out=x.clamp_(max=0)), device) - _seconds(lambda: x.clamp_(max=0), device)
    large, small = (torch.ones(n // 4, device=device) for n in (256_000_000, 4_000_000))
    copies = [2 * 4 * t.numel() / _seconds(lambda t=t, out=torch.empty_like(t): out.copy_(t), device) / 1e9
              for t in (large, small)]
    return Rates(2 * size**3 / product / 1e9, x.numel() / max(exps, 1e-9) / 1e9, *copies, adds_up=device == "cpu")


def _seconds(run: Callable[[], object], device: str, turns: int = 7) -> float:
    run()
    return statistics.median(time_turn(run, device) for _ in range(turns))


def time_turn(run: Callable[[], object], device: str) -> float:
    """Wall seconds of one call, the mean over a turn of `MIN_TURN_SECONDS`; waits for CUDA at both ends."""
    _wait(device)
    calls, start = 0, time.perf_counter()
    while True:
        run()
        calls += 1
        if device != "cpu" and calls % 8:
            continue  # the queue of a GPU is emptied now and then only
        _wait(device)
        elapsed = time.perf_counter() - start
        if elapsed >= MIN_TURN_SECONDS:
            return elapsed / calls


def _wait(device: str) -> None:
    if device != "cpu":
        torch.cuda.synchronize()


def forward_call(case: BenchCase, name: str, inputs: tuple) -> Callable[[], torch.Tensor]:
    """A forward pass without autograd."""

    def run() -> torch.Tensor:
        with torch.no_grad():
            return case.contenders[name](*inputs)

    return run


def backward_call(case: BenchCase, name: str, inputs: tuple) -> Callable[[], tuple]:
    """A forward and backward pass, for a dense random gradient of the output."""
    inputs = tuple(x.detach().clone().requires_grad_() if k in case.differentiable else x for k, x in enumerate(inputs))
    wanted = [inputs[k] for k in case.differentiable]
    with torch.no_grad():
        gradient = torch.randn_like(case.contenders[name](*inputs))

    def run() -> tuple:
        return torch.autograd.grad(case.contenders[name](*inputs), wanted, gradient)

    return run


def measure_case(case: BenchCase, device: str, rounds: int) -> dict[str, tuple[float, float]]:
    """Median milliseconds of (forward, forward and backward) of each contender, which take turns."""
    inputs = case.make()
    calls = {(name, kind): build(case, name, inputs)
             for name in case.contenders for kind, build in (("f", forward_call), ("f+b", backward_call))}
    for call in calls.values():
        call()
    times: dict = {key: [] for key in calls}
    for _ in range(rounds):
        for key, call in calls.items():
            times[key].append(time_turn(call, device))
    median = {key: 1e3 * statistics.median(values) for key, values in times.items()}
    return {name: (median[name, "f"], median[name, "f+b"]) for name in case.contenders}


def peak_megabytes(call: Callable[[], object], device: str) -> float:
    """Largest memory beyond what was held before, its output included. On a CPU call it in a fresh process."""
    call()  # what a first call alone sets up is not counted
    gc.collect()
    if device != "cpu":
        torch.cuda.synchronize()
        torch.cuda.reset_peak_memory_stats()
        before = torch.cuda.memory_allocated()
        call()
        torch.cuda.synchronize()
        return (torch.cuda.max_memory_allocated() - before) / 1e6
    ctypes.CDLL(None).malloc_trim(0)
    with open("/proc/self/clear_refs", "w", encoding="ascii") as file:
        file.write("5")  # resets the high-water mark
    before = _status_kilobytes("VmRSS")
    kept = call()
    peak = _status_kilobytes("VmHWM")
    del kept
    return (peak - before) * 1024 / 1e6


def _status_kilobytes(field: str) -> int:
    with open("/proc/self/status", encoding="ascii") as file:
        return next(int(line.split()[1]) for line in file if line.startswith(field + ":"))


def largest_difference(case: BenchCase, tolerance: float, inputs: Sequence) -> str | None:
    """Names a contender whose output is not ours; None where all agree, so that all did the same job."""
    names = list(case.contenders)
    with torch.no_grad():
        outputs = {name: case.contenders[name](*inputs).double() for name in names}
    ours = outputs[names[0]]
    for name in names[1:]:
        scale = max(1.0, ours.abs().max().item())
        worst = (outputs[name] - ours).abs().max().item() / scale
        if outputs[name].shape != ours.shape or not worst <= tolerance:
            return f"{case.name}: {name} differs from {names[0]} by {worst:.1e}"
    return None
