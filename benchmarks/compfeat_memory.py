"""Prints the peak memory of CompFeat's frame-level attention, with the op and with the whole matrix in memory.

    python benchmarks/compfeat_memory.py [--size 384x640] [--supports 4] [--device cpu]

One row per ResNet stage: the dual attention of one frame against its supports, float32, batch 1, as a test step does it
(keys and values of supports are there already) and as a training step does it (they are projected, and the backward
pass runs). Peak memory beyond the inputs, output included; on a CPU each figure comes from a fresh process. "matrix" is
the size of the table of weights alone.
"""

import argparse
import subprocess
import sys
from functools import partial
from pathlib import Path

import torch

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from benchmarks.harness import peak_megabytes  # noqa: E402
from vis_projects.layers import has_native  # noqa: E402
from vis_projects.layers.st_attention import st_attention, st_attention_reference  # noqa: E402
from vis_projects.methods.compfeat import temporal_attention  # noqa: E402
from vis_projects.methods.compfeat.dual_attention import DualAttention  # noqa: E402

STAGES = {"res3": (512, 8), "res4": (1024, 16), "res5": (2048, 32)}  # channels, stride
OPS = {"native": st_attention, "materialised": st_attention_reference}


def attend(dual: DualAttention, frame: torch.Tensor, supports: torch.Tensor, training: bool) -> torch.Tensor:
    """One dual attention; in training with projection and backward pass, and the gradients are returned."""
    if not training:
        with torch.no_grad():
            return dual(frame, supports)
    pair = tuple(x[None] for x in dual.temporal.project(supports))
    return torch.autograd.grad(dual(frame, pair).sum(), [*dual.parameters(), frame, supports])


def measure(args: argparse.Namespace) -> float:
    """Megabytes of the one figure that `args.figure` names."""
    stage, op, kind = args.figure.split(",")
    temporal_attention.st_attention = OPS[op]
    channels, stride = STAGES[stage]
    height, width = (side // stride for side in args.size)
    torch.manual_seed(0)
    dual = DualAttention(channels).to(args.device)
    frame = torch.randn(1, channels, height, width, device=args.device)
    supports = torch.randn(args.supports, channels, height, width, device=args.device)
    training = kind == "train"
    if training:
        frame.requires_grad_(), supports.requires_grad_()
        return peak_megabytes(partial(attend, dual, frame, supports, True), args.device)
    with torch.no_grad():
        pair = tuple(x[None].clone() for x in dual.temporal.project(supports))
    return peak_megabytes(partial(attend, dual, frame, pair, False), args.device)


def main() -> None:
    """Measures each figure in a process of its own and prints the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--size", default=(384, 640), type=lambda text: tuple(int(x) for x in text.split("x")))
    parser.add_argument("--supports", type=int, default=4)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--figure", help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.figure:
        print(measure(args))
        return
    print(f"frame-level attention at {args.size[0]}x{args.size[1]}, {args.supports} supports, float32, batch 1, "
          f"{args.device}, st_attention: {'native' if has_native('st_attention') else 'reference'}; peak MB\n")
    print("| stage | positions x support positions | matrix | test: native | materialised | train: native "
          "| materialised |")
    print("|---|---|---|---|---|---|---|")
    for stage, (_, stride) in STAGES.items():
        positions = args.size[0] // stride * (args.size[1] // stride)
        figures = []
        for kind in ("test", "train"):
            for op in OPS:
                command = [sys.executable, *sys.argv, "--figure", f"{stage},{op},{kind}"]
                figures.append(float(subprocess.run(command, check=True, capture_output=True, text=True).stdout))
        matrix = positions**2 * args.supports * 4 / 1e6
        cells = " | ".join(f"{value:.1f}" for value in figures)
        print(f"| {stage} | {positions} x {args.supports * positions} | {matrix:.1f} | {cells} |", flush=True)


if __name__ == "__main__":
    main()
