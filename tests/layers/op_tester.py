"""What every fused op has to show: a subclass names the op, its float64 oracle and its cases, the tests come from here.

The oracle is the slow reference run in float64. Inputs of a case are built in float64 and cast, so that all dtypes see
the same numbers.
"""

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import pytest
import torch

from vis_projects.layers import has_native

TOLERANCE = {torch.float64: 1e-10, torch.float32: 1e-5, torch.bfloat16: 1e-2, torch.float16: 1e-2}
CPU_LEVELS = (1, 3, 4)
DEVICES = ["cpu"] + (["cuda"] if torch.cuda.is_available() else [])


@dataclass(frozen=True)
class OpCase:
    """One call.

    Attributes:
        name: for the test id.
        make: generator -> arguments of the op, floating tensors in float64.
    """

    name: str
    make: Callable[[torch.Generator], tuple]


class OpTester:
    """Base of the test classes of fused ops.

    Attributes:
        op: name in `torch.ops.vis_projects`.
        face: public function; same arguments.
        reference: the slow reference; same arguments.
        cases: small ones, for every check; with an empty one and non-trivial sizes among them.
        grad_cases: smallest ones, for gradcheck in float64.
        gradient_tolerance: factor on the tolerance for gradients, which sum many terms.
    """

    op: str
    face: Callable
    reference: Callable
    cases: Sequence[OpCase]
    grad_cases: Sequence[OpCase]
    gradient_tolerance = 4.0

    def test_forward_equals_the_float64_reference(self, op_device, dtype, layout):
        for case in self.cases:
            args = self._args(case)
            expected = type(self).reference(*args)
            given = _cast(args, op_device, dtype, layout)
            got = type(self).face(*given)
            # the rounding of the inputs to a half type is not the op's: the oracle sees the rounded inputs
            expected = expected if dtype.itemsize >= 4 else type(self).reference(*_cast(given, "cpu", torch.float64))
            assert got.dtype == dtype and got.device.type == op_device
            assert_close(got, expected, TOLERANCE[dtype], case.name)

    def test_gradients_equal_those_of_the_float64_reference(self, op_device, dtype):
        for case in self.cases:
            given = _cast(self._args(case), op_device, dtype)
            oracle = _cast(given, "cpu", torch.float64)
            gradients = [_gradients(function, inputs) for function, inputs in
                         ((type(self).face, given), (type(self).reference, oracle))]
            for got, expected in zip(*gradients, strict=True):
                assert got.dtype == dtype
                assert_close(got, expected, self.gradient_tolerance * TOLERANCE[dtype], case.name)

    def test_gradcheck(self, op_device):
        for case in self.grad_cases:
            args = _leaves(_cast(self._args(case), op_device, torch.float64))
            assert torch.autograd.gradcheck(type(self).face, args, nondet_tol=0.0), case.name

    def test_a_gradient_with_zero_strides_is_accepted(self, op_device):
        case = self.cases[-1]
        args = _leaves(_cast(self._args(case), op_device, torch.float64))
        type(self).face(*args).sum().backward()  # the gradient of sum() is one number seen at every place
        oracle = _leaves(self._args(case))
        type(self).reference(*oracle).sum().backward()
        for got, expected in zip(_tensors(args), _tensors(oracle), strict=True):
            assert_close(got.grad, expected.grad, 1e-9, case.name)

    def test_opcheck(self):
        self._needs_native()
        for case in (*self.cases, *self.grad_cases):
            args = _leaves(_cast(self._args(case), "cpu", torch.float32))
            torch.library.opcheck(getattr(torch.ops.vis_projects, self.op).default, args)

    def test_every_instruction_level_and_thread_count_gives_the_same_result(self):
        self._needs_native()
        before, threads = torch.ops.vis_projects.set_cpu_level(4), torch.get_num_threads()
        try:
            for case, level in itertools.product(self.cases, CPU_LEVELS):
                torch.ops.vis_projects.set_cpu_level(level)
                args = _cast(self._args(case), "cpu", torch.float32)
                results = []
                for count in (1, 2, 2):  # twice with two threads: the same bits each time
                    torch.set_num_threads(count)
                    with torch.no_grad():
                        results.append([type(self).face(*args)])
                    results[-1] += _gradients(type(self).face, args)
                assert_close(results[0][0], type(self).reference(*self._args(case)), 1e-5, f"{case.name} level {level}")
                for other in results[1:]:
                    assert all(torch.equal(a, b) for a, b in zip(results[0], other)), f"{case.name} level {level}"
        finally:
            torch.ops.vis_projects.set_cpu_level(before)
            torch.set_num_threads(threads)

    def test_autocast_runs_in_the_autocast_dtype(self, op_device):
        case = self.cases[-1]
        args = _cast(self._args(case), op_device, torch.float32)
        with torch.autocast(op_device, dtype=torch.bfloat16):
            got = type(self).face(*args)
        assert got.dtype == torch.bfloat16
        rounded = tuple(a.bfloat16() if _is_float(a) else a for a in args)
        assert torch.equal(got, type(self).face(*rounded))

    def test_torch_compile_and_export(self):
        self._needs_native()
        face = type(self).face

        class Module(torch.nn.Module):
            def forward(self, *args):
                return face(*args) * 2

        case = self.cases[-1]
        args = _cast(self._args(case), "cpu", torch.float32)
        expected = face(*args) * 2
        compiled = torch.compile(Module(), backend="aot_eager", fullgraph=True)
        assert torch.equal(compiled(*args), expected)
        exported = torch.export.export(Module(), args)
        assert torch.equal(exported.module()(*args), expected)
        assert any(str(node.target).startswith(f"vis_projects.{self.op}") for node in exported.graph.nodes)

    def _args(self, case: OpCase) -> tuple:
        return case.make(torch.Generator().manual_seed(7))

    def _needs_native(self):
        if not has_native(self.op):
            pytest.skip("the op is not compiled here: there is only the reference")


def assert_close(got: torch.Tensor, expected: torch.Tensor, tolerance: float, what: str) -> None:
    """Largest difference, relative to the largest expected value (or to 1 where that is smaller)."""
    got, expected = got.detach().double().cpu(), expected.detach().double().cpu()
    assert got.shape == expected.shape, f"{what}: {tuple(got.shape)} is not {tuple(expected.shape)}"
    if expected.numel():
        assert torch.isfinite(got).all(), what
        worst = (got - expected).abs().max().item() / max(1.0, expected.abs().max().item())
        assert worst <= tolerance, f"{what}: relative difference {worst:.2e}"


def _is_float(arg) -> bool:
    return isinstance(arg, torch.Tensor) and arg.is_floating_point()


def _tensors(args: tuple) -> list[torch.Tensor]:
    return [arg for arg in args if _is_float(arg)]


def _leaves(args: tuple) -> tuple:
    return tuple(arg.detach().clone().requires_grad_() if _is_float(arg) else arg for arg in args)


def _cast(args: tuple, device: str, dtype: torch.dtype, layout: str = "contiguous") -> tuple:
    cast = []
    for arg in args:
        if isinstance(arg, torch.Tensor):
            arg = arg.to(device)
            if arg.is_floating_point():
                arg = _strided(arg.to(dtype), layout)
        cast.append(arg)
    return tuple(cast)


def _strided(tensor: torch.Tensor, layout: str) -> torch.Tensor:
    """The same values; "view" with gaps between the elements, "swapped" with the last two axes swapped in memory."""
    if layout == "view":
        wide = tensor.new_full((*tensor.shape, 2), float("nan"))
        wide[..., 0] = tensor
        return wide[..., 0]
    if layout == "swapped" and tensor.dim() >= 2:
        return tensor.transpose(-1, -2).contiguous().transpose(-1, -2)
    return tensor.contiguous()


def _gradients(function: Callable, args: tuple) -> list[torch.Tensor]:
    """Gradients of all floating arguments for a fixed uneven gradient of the output."""
    args = _leaves(args)
    out = function(*args)
    weights = torch.linspace(-1, 1, max(out.numel(), 1), dtype=torch.float64)[: out.numel()].reshape(out.shape)
    return list(torch.autograd.grad(out, _tensors(args), weights.to(out)))
