"""HITF: who computes its attention fastest, and what a frame costs in time and memory with 1 to 4 references.

    python benchmarks/hitf.py                       both tables, one thread, 641 x 641, ResNet-50
    python benchmarks/hitf.py --side 321 --rounds 3 --tables frame
    python benchmarks/hitf.py --device cuda

First table: eqs. 3 and 4 of one inter-frame layer for the tokens that the model has, (B, tokens, channels); a contender
that wants another layout pays for it. Second table: one frame of a running video, references full: the encoder,
the fusion (projection of the frame for later ones, alternate layers) and decoder with heads, in turns; memory kept
between frames; memory at the peak of a step beyond weights and state. Weights are random, times are medians.
"""

import argparse
import statistics
import sys
from pathlib import Path

import torch
from detectron2.modeling import build_model
from tabulate import tabulate
from torch.nn import functional as F

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

import vis_projects.methods  # noqa: E402, F401
from benchmarks.harness import BenchCase, largest_difference, measure_case, peak_megabytes, time_turn  # noqa: E402
from vis_projects.config import get_vis_cfg  # noqa: E402
from vis_projects.layers import st_attention  # noqa: E402
from vis_projects.methods.hitf.attention import attend  # noqa: E402

SLOTS, HEADS, KEY, VALUE = 10, 8, 16, 32  # widths are of one head
REFERENCES = (1, 2, 3, 4)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--side", type=int, default=641, help="of the square canvas in pixels, 16 k + 1")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--tables", nargs="+", choices=("attention", "frame"), default=("attention", "frame"))
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    print(f"torch {torch.__version__}, {args.device}, {args.threads} threads, medians of {args.rounds}\n")
    if "attention" in args.tables:
        print(attention_table(args), flush=True)
    if "frame" in args.tables:
        print(frame_table(args), flush=True)


def attention_table(args: argparse.Namespace) -> str:
    """Milliseconds of each contender, forward and with backward."""
    cells = ((args.side - 1) // 16 + 1) ** 2
    rows = []
    for count in REFERENCES:
        for name, queries, keys in (("c2c & c2p", SLOTS, count * (SLOTS + cells)), ("p2c", cells, count * SLOTS)):
            case = attention_case(f"{name}, {count} references: {queries} x {keys}", queries, keys, args.device)
            wrong = largest_difference(case, 1e-3, case.make())
            if wrong:
                raise SystemExit(f"error: {wrong}; the figures would compare different things")
            times = measure_case(case, args.device, args.rounds)
            rows += [[case.name, contender, *found, *(x / y for x, y in zip(found, times["ours (products)"]))]
                     for contender, found in times.items()]
    columns = ("queries x keys", "contender", "f ms", "f+b ms", "of ours: f", "f+b")
    return tabulate(rows, columns, tablefmt="github", floatfmt=".3g") + "\n"


def attention_case(name: str, queries: int, keys: int, device: str) -> BenchCase:
    """One attention of 8 heads; its work in products and exponentials as the floor needs it."""

    def make() -> tuple:
        rng = torch.Generator().manual_seed(0)
        shapes = ((queries, HEADS * KEY), (keys, HEADS * KEY), (keys, HEADS * VALUE))
        return tuple(torch.randn(1, *shape, generator=rng).to(device) for shape in shapes)

    scale = torch.full((HEADS,), KEY**-0.5, device=device)
    product = 2 * HEADS * queries * keys / 1e9
    megabytes = 4 * HEADS * (queries + keys) * (KEY + VALUE) / 1e6
    contenders = {
        "ours (products)": lambda q, k, v: attend(q, k, v, scale),
        "sdpa": lambda q, k, v: sdpa(q, k, v, scale),
        "sdpa, key width padded": lambda q, k, v: padded(q, k, v, scale),
        "st_attention": lambda q, k, v: by_maps(q, k, v, scale),
    }
    return BenchCase(name, make, contenders, product * (KEY + VALUE), HEADS * queries * keys / 1e9, megabytes,
                     product * (4 * KEY + 3 * VALUE), 2 * HEADS * queries * keys / 1e9, 3 * megabytes, (0, 1, 2))


def heads_of(x: torch.Tensor) -> torch.Tensor:
    """(B, tokens, channels) -> (B, heads, tokens, channels of a head)."""
    return x.view(*x.shape[:2], HEADS, -1).transpose(1, 2)


def tokens_of(x: torch.Tensor) -> torch.Tensor:
    """The way back."""
    return x.transpose(1, 2).flatten(2)


def padded(q: torch.Tensor, k: torch.Tensor, v: torch.Tensor, scale: torch.Tensor) -> torch.Tensor:
    """Zeros bring queries and keys to the width of the values, as the fast paths of sdpa want it."""
    q, k, v = heads_of(q) * scale.view(-1, 1, 1), heads_of(k), heads_of(v)
    q, k = (F.pad(x, (0, VALUE - KEY)) for x in (q, k))
    return tokens_of(F.scaled_dot_product_attention(q, k, v, scale=1.0))


def by_maps(q: torch.Tensor, k: torch.Tensor, v: torch.Tensor, scale: torch.Tensor) -> torch.Tensor:
    """The project's op, each head a key set of one row of tokens."""
    q, k, v = heads_of(q) * scale.view(-1, 1, 1), heads_of(k), heads_of(v)
    q, k, v = (x[0].transpose(1, 2).unsqueeze(2).contiguous() for x in (q, k, v))
    return tokens_of(st_attention(q, k[:, None], v[:, None]).squeeze(2).transpose(1, 2)[None])


def sdpa(q: torch.Tensor, k: torch.Tensor, v: torch.Tensor, scale: torch.Tensor) -> torch.Tensor:
    """torch's own attention on the views of the heads."""
    q, k, v = heads_of(q) * scale.view(-1, 1, 1), heads_of(k), heads_of(v)
    return tokens_of(F.scaled_dot_product_attention(q, k, v, scale=1.0))


def frame_table(args: argparse.Namespace) -> str:
    """Time and memory of a frame for each number of references."""
    rows = [frame_row(count, args) for count in REFERENCES]
    columns = ("N_ref", "encoder s", "fusion s", "decoder s", "state MB", "f^N instead MB", "peak of a step MB")
    return tabulate(rows, columns, tablefmt="github", floatfmt=".3g") + "\n"


@torch.no_grad()
def frame_row(count: int, args: argparse.Namespace) -> list:
    """One line of the second table."""
    cfg = get_vis_cfg()
    cfg.merge_from_file(str(ROOT / "configs/hitf/hitf_R_50_ytvis2019.yaml"))
    cfg.merge_from_list(["MODEL.DEVICE", args.device, "MODEL.HITF.N_REF", count, "INPUT.MAX_SIZE_TRAIN", args.side,
                         "INPUT.MAX_SIZE_TEST", args.side])
    torch.manual_seed(0)
    model = build_model(cfg).eval()
    image = torch.randn(1, 3, args.side, args.side, device=args.device)
    network = model.frame_network().eval()
    encoded = model.backbone(image)
    own = model.fusion.project(encoded["res5"], encoded["code"])
    references = tuple(torch.stack([x] * count, dim=1) for x in own)

    def fuse() -> tuple:
        model.fusion.project(encoded["res5"], encoded["code"])
        return model.fusion(encoded["res5"], encoded["code"], references)

    fused = fuse()
    parts = (lambda: model.backbone(image), fuse, lambda: model.head(*fused, encoded["res2"]))
    times: list[list[float]] = [[] for _ in parts]
    for _ in range(args.rounds):
        for kept, part in zip(times, parts):
            kept.append(time_turn(part, args.device))
    state = sum(x.numel() * x.element_size() for x in references) / 1e6
    features = count * (encoded["res5"].numel() + encoded["code"].numel()) * 4 / 1e6
    peak = peak_megabytes(lambda: network(image, *references), args.device)
    return [count, *(statistics.median(kept) for kept in times), state, features, peak]


if __name__ == "__main__":
    main()
