"""Cost of scoring a results file: `evaluate_json` with its native engine, its Python path, and the official evaluator.

    python benchmarks/evaluator.py [--data FOLDER] [--rounds 3] [--official FOLDER]

Two generated sets of the size of the YouTube-VIS 2019 and OVIS validation sets (evaluator_sets.py) are scored from
their json files. Timed is one call in a fresh process, from the paths to the twelve numbers: reading, parsing, areas,
overlaps, matching, curves and means. Not timed: the imports and the start of Python; the files are in the page cache.
CPU seconds are those of all threads of the process, user and system; contenders take turns and the medians are printed.
Memory is the largest resident set of the process (importing torch is much of it), and how much came with the call.

"objects" starts from parsed json, as validation within training does. --official names the folder of the official
sources (youtubevos/cocoapi: ytvos.py and ytvoseval.py, or a folder above them); they run unchanged with pycocotools'
compiled part, names that later numpy and Python took away are given back, and what they print is dropped.
"""

import argparse
import contextlib
import importlib.util
import io
import json
import os
import platform
import resource
import statistics
import subprocess
import sys
import tempfile
import time
import types
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

NATIVE, NATIVE_2, OBJECTS = "native", "native, 2 threads", "native, objects"
PYTHON, OFFICIAL = "Python path", "official"


def ours(engine: str, objects: bool) -> tuple[Callable, Callable]:
    """(what is not timed: results and gt path -> sources, what is timed: sources -> twelve numbers)."""
    from vis_projects.evaluation import evaluate_json

    def prepare(results: str, gt: str) -> tuple:
        return tuple(json.loads(Path(path).read_bytes()) if objects else path for path in (results, gt))

    def score(results: object, gt: object) -> list[float]:
        return list(evaluate_json(results, gt, engine=engine).stats.values())

    return prepare, score


def official(folder: str) -> tuple[Callable, Callable]:
    """The same for the official sources."""
    import numpy as np

    if not hasattr(np, "float"):  # gone since numpy 1.24, as is a float as the count of linspace
        np.float, linspace = float, np.linspace
        np.linspace = lambda start, stop, count=50, **options: linspace(start, stop, int(count), **options)
    for name in ("matplotlib", "matplotlib.pyplot", "matplotlib.collections", "matplotlib.patches"):
        sys.modules.setdefault(name, types.ModuleType(name))  # imported there, used by no evaluation
    sys.modules["matplotlib"].pyplot = sys.modules["matplotlib.pyplot"]
    for name, members in (("collections", "PatchCollection"), ("patches", "Polygon")):
        sys.modules[f"matplotlib.{name}"].__dict__.setdefault(members, None)
    ytvos, ytvoseval = (_official_module(folder, name) for name in ("ytvos", "ytvoseval"))

    def score(results: str, gt: str) -> list[float]:
        with contextlib.redirect_stdout(io.StringIO()):
            truth = ytvos.YTVOS(gt)
            evaluation = ytvoseval.YTVOSeval(truth, truth.loadRes(results), "segm")
            evaluation.evaluate()
            evaluation.accumulate()
            evaluation.summarize()
        return [float(value) for value in evaluation.stats]

    return lambda results, gt: (results, gt), score


def _official_module(folder: str, name: str) -> types.ModuleType:
    paths = sorted(Path(folder).rglob(f"{name}.py"))
    if not paths:
        raise SystemExit(f"--official {folder}: no {name}.py in it; give the folder of youtubevos/cocoapi")
    spec = importlib.util.spec_from_file_location(f"pycocotools.{name}", paths[0])
    importlib.import_module("pycocotools.mask")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def peak_megabytes() -> float:
    """Largest resident set so far; Linux' ru_maxrss would count the process that started this one as well."""
    status = Path("/proc/self/status")
    if status.is_file():
        return next(int(line.split()[1]) for line in status.read_text().splitlines() if line[:6] == "VmHWM:") * 1.024e-3
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1e6 if sys.platform == "darwin" else 1e3)


def run_child(contender: str, results: str, gt: str, folder: str | None) -> None:
    """Measures one call and prints it as json."""
    if contender == OFFICIAL:
        prepare, score = official(folder)
    else:
        import torch

        torch.set_num_threads(2 if contender == NATIVE_2 else 1)
        prepare, score = ours("python" if contender == PYTHON else "native", contender == OBJECTS)
    for path in (results, gt):
        with open(path, "rb") as file:  # into the page cache, and little of it into this process
            while file.read(1 << 20):
                pass
    sources = prepare(results, gt)
    before = peak_megabytes()
    wall, cpu = time.perf_counter(), time.process_time()
    stats = score(*sources)
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    peak = peak_megabytes()
    print(json.dumps({"cpu": cpu, "wall": wall, "peak": peak, "growth": peak - before, "stats": stats}))


def measure(contender: str, paths: tuple[Path, Path], folder: str | None) -> dict:
    """One run of a contender in a fresh process."""
    gt, results = paths
    command = [sys.executable, str(Path(__file__).resolve()), "--child", contender, str(results), str(gt)]
    environment = {**os.environ, "OMP_NUM_THREADS": "2" if contender == NATIVE_2 else "1"}
    done = subprocess.run(command + ([folder] if folder else []), capture_output=True, text=True, env=environment)
    if done.returncode:
        raise SystemExit(f"{contender} failed:\n{done.stderr[-2000:]}")
    return json.loads(done.stdout.splitlines()[-1])


def run_set(name: str, paths: tuple[Path, Path], contenders: list[str], rounds: int, folder: str | None) -> str:
    """The table of one set."""
    from tabulate import tabulate

    runs: dict[str, list[dict]] = {contender: [] for contender in contenders}
    for _ in range(rounds):
        for contender in contenders:
            runs[contender].append(measure(contender, paths, folder))
    keys = ("cpu", "wall", "peak", "growth")
    middle = {contender: {key: statistics.median(run[key] for run in found) for key in keys}
              for contender, found in runs.items()}
    base = middle[OFFICIAL if OFFICIAL in middle else PYTHON]
    expected = runs[PYTHON][0]["stats"]
    rows = []
    for contender, found in middle.items():
        equal = all(run["stats"] == expected for run in runs[contender])
        rows.append([contender, found["cpu"], base["cpu"] / found["cpu"], found["wall"], base["wall"] / found["wall"],
                     found["peak"], found["growth"], "yes" if equal else "NO"])
    than = "official" if OFFICIAL in middle else "Python path"
    headers = ("", "CPU s", f"CPU, {than} / this", "wall s", f"wall, {than} / this", "peak MB", "of the call MB",
               "equal numbers")
    facts = "; ".join(f"{key} {value:.4g}" for key, value in set_facts(paths).items())
    return f"{name}: {facts}\n" + tabulate(rows, headers, floatfmt=(".0f", ".3f", ".1f", ".3f", ".1f", ".0f", ".0f"))


def machine() -> str:
    """One line of machine and versions."""
    import numpy as np
    import pycocotools
    import torch

    from importlib.metadata import version

    cpu = platform.processor() or platform.machine()
    info = Path("/proc/cpuinfo")
    if info.is_file():
        cpu = next((line.split(":")[1].strip() for line in info.read_text().splitlines() if "model name" in line), cpu)
    load = f", load {os.getloadavg()[0]:.1f}" if hasattr(os, "getloadavg") else ""
    return (f"{cpu}, {os.cpu_count()} CPUs{load}; Python {platform.python_version()}, torch {torch.__version__}, "
            f"numpy {np.__version__}, {pycocotools.__name__} {version('pycocotools')}")


def set_facts(paths: tuple[Path, Path]) -> dict[str, float]:
    from benchmarks import evaluator_sets

    return evaluator_sets.set_facts(paths)


def main() -> None:
    from benchmarks.evaluator_sets import PRESETS, make_set
    from vis_projects.evaluation.engine import has_engine

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, help="folder that keeps the generated sets (a temporary one)")
    parser.add_argument("--sets", nargs="+", choices=PRESETS, default=list(PRESETS))
    parser.add_argument("--rounds", type=int, default=3, help="runs of each contender (3)")
    parser.add_argument("--official", help="folder of the official sources, to run them beside ours")
    args = parser.parse_args()
    contenders = [NATIVE, NATIVE_2, OBJECTS] if has_engine() else []
    contenders += [PYTHON] + ([OFFICIAL] if args.official else [])
    print(machine())
    if not has_engine():
        print("the native engine is not compiled: only the Python path is measured")
    with tempfile.TemporaryDirectory() as temporary:
        for name in args.sets:
            paths = make_set(name, args.data or Path(temporary))
            print("\n" + run_set(name, paths, contenders, args.rounds, args.official), flush=True)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--child"]:
        run_child(*sys.argv[2:5], sys.argv[5] if len(sys.argv) > 5 else None)
    else:
        main()
