"""Prints how fast the fused ops are beside what a user has without them: time, share of the floor, peak memory.

    python benchmarks/kernels.py                        all ops on the CPU, two threads at most, plain and pooled malloc
    python benchmarks/kernels.py --device cuda --dtype bfloat16
    python benchmarks/kernels.py --ops depthwise_xcorr --rounds 15 --threads 1 --malloc pooled

Times are medians of turns that the contenders take in one process: forward without autograd, and forward with backward
for a dense gradient, inputs and gradient ready on the device; nothing else is included. "floor" is the time that the
machine needs for the products, exponentials and bytes alone, at rates measured in the same process. Peak memory is
beyond the inputs, output included, one fresh process for each figure.

malloc: glibc maps blocks above 32 MB afresh for every call and pays for their pages; "plain" leaves that as users have
it, "pooled" raises the threshold.
"""

import argparse
import importlib
import os
import platform
import subprocess
import sys
from pathlib import Path

import torch
from tabulate import tabulate

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from benchmarks import harness  # noqa: E402
from vis_projects.layers import ops_status  # noqa: E402

OPS = ("depthwise_xcorr", "st_attention", "dynamic_mask_head", "local_correlation")
POOLED = {"MALLOC_MMAP_THRESHOLD_": str(1 << 32), "MALLOC_TRIM_THRESHOLD_": str(1 << 34)}
TOLERANCE = {torch.float32: 1e-3, torch.bfloat16: 5e-2, torch.float16: 2e-2}  # contenders do the same job


def main() -> None:
    """Measures in this process, or in one process for each kind of malloc."""
    args = parse_arguments()
    if args.memory_of:
        print(measure_memory(args))
        return
    kinds = [None] if args.device != "cpu" else ["plain", "pooled"] if args.malloc == "both" else [args.malloc]
    if kinds != [None] and os.environ.get("VIS_BENCH_MALLOC") not in kinds:
        for kind in kinds:
            environment = {**os.environ, "VIS_BENCH_MALLOC": kind, **(POOLED if kind == "pooled" else {})}
            subprocess.run([sys.executable, *sys.argv], env=environment, check=True)
        return
    torch.set_num_threads(args.threads)
    print(header(args), flush=True)
    rates = harness.measure_rates(args.device, args.dtype)
    print(f"rates: {rates.gflops:.0f} GFLOP/s, {rates.gexps:.2f} Gexp/s, {rates.memory_gbytes:.0f} GB/s copy in "
          f"memory, {rates.cache_gbytes:.0f} GB/s in the cache\n", flush=True)
    for op in args.ops:
        cases = importlib.import_module(f"benchmarks.{op}").cases(args.device, args.dtype)
        cases = [case for case in cases if args.case in case.name]
        rows = [row for case in cases for row in case_rows(op, case, rates, args)]
        columns = ("case", "contender", "f ms", "f+b ms", "ours is faster: f", "f+b", "x floor: f", "f+b", "MB f",
                   "MB f+b")
        print(f"### {op}\n\n{tabulate(rows, columns, tablefmt='github', floatfmt='.3g')}\n", flush=True)


def case_rows(op: str, case: harness.BenchCase, rates: harness.Rates, args: argparse.Namespace) -> list[list]:
    """One table row for each contender."""
    wrong = harness.largest_difference(case, TOLERANCE[args.dtype], case.make())
    if wrong:
        raise SystemExit(f"error: {wrong}; the figures would compare different things")
    times = harness.measure_case(case, args.device, args.rounds)
    floors = (rates.floor_ms(case.gflop, case.gexp, case.megabytes),
              rates.floor_ms(case.backward_gflop, case.backward_gexp, case.backward_megabytes))
    ours = next(iter(times.values()))
    rows = []
    for name, (forward, both) in times.items():
        memory = [memory_in_fresh_process(op, case.name, name, kind, args) for kind in ("f", "f+b")]
        rows.append([case.name, name, forward, both, forward / ours[0], both / ours[1],
                     forward / floors[0], both / floors[1], *memory])
    return rows


def memory_in_fresh_process(op: str, case: str, contender: str, kind: str, args: argparse.Namespace) -> float | None:
    """Peak megabytes; None with --no-memory."""
    if args.no_memory:
        return None
    command = [sys.executable, __file__, "--device", args.device, "--dtype", str(args.dtype).removeprefix("torch."),
               "--threads", str(args.threads), "--memory-of", op, case, contender, kind]
    return float(subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()[-1])


def measure_memory(args: argparse.Namespace) -> float:
    """Peak megabytes of the call that --memory-of names."""
    op, name, contender, kind = args.memory_of
    torch.set_num_threads(args.threads)
    cases = importlib.import_module(f"benchmarks.{op}").cases(args.device, args.dtype)
    case = next(case for case in cases if case.name == name)
    build = harness.forward_call if kind == "f" else harness.backward_call
    return harness.peak_megabytes(build(case, contender, case.make()), args.device)


def header(args: argparse.Namespace) -> str:
    """Machine, versions and which of the ops are native."""
    device = _cpu_name() if args.device == "cpu" else torch.cuda.get_device_name()
    malloc = f", {os.environ['VIS_BENCH_MALLOC']} malloc" if args.device == "cpu" else ""
    threads = f", {args.threads} threads{_level()}" if args.device == "cpu" else ""
    states = ", ".join(f"{op} {state}" for op, state in ops_status().items() if op in OPS)
    return (f"## {device}{threads}{malloc}, {str(args.dtype).removeprefix('torch.')}\n\n"
            f"torch {torch.__version__}, Python {platform.python_version()}, medians of {args.rounds} turns\n{states}")


def _level() -> str:
    if not hasattr(torch.ops.vis_projects, "set_cpu_level"):
        return ""
    level = torch.ops.vis_projects.set_cpu_level(4)  # its answer is the level that was in use
    torch.ops.vis_projects.set_cpu_level(level)
    return f", instruction level v{level}"


def _cpu_name() -> str:
    info = Path("/proc/cpuinfo")
    lines = info.read_text(encoding="utf-8").splitlines() if info.is_file() else []
    return next((line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), platform.machine())


def parse_arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--device", choices=("cpu", "cuda"), default="cpu")
    parser.add_argument("--dtype", default="float32", type=lambda name: getattr(torch, name), help="(float32)")
    parser.add_argument("--ops", nargs="+", choices=OPS, default=OPS)
    parser.add_argument("--case", default="", help="only cases whose name holds this")
    parser.add_argument("--rounds", type=int, default=9, help="turns of each contender (9)")
    parser.add_argument("--threads", type=int, default=min(2, os.cpu_count() or 1), help="CPU threads (2)")
    parser.add_argument("--malloc", choices=("plain", "pooled", "both"), default="both", help="on the CPU (both)")
    parser.add_argument("--no-memory", action="store_true", help="leave out the peak memory, which takes long")
    parser.add_argument("--memory-of", nargs=4, metavar=("OP", "CASE", "CONTENDER", "f|f+b"), help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.device == "cuda" and not torch.cuda.is_available():
        parser.error("--device cuda: torch sees no CUDA device here")
    return args


if __name__ == "__main__":
    main()
