"""Writes those weights of a checkpoint that all rows of a study start from: names that begin with one of the prefixes.

    python benchmarks/shared_weights.py output/start/model_final.pth output/shared.pth backbone. proto_net.
"""

import argparse
from pathlib import Path

import torch


def shared_weights(source: str | Path, out: str | Path, prefixes: list[str]) -> int:
    """Returns how many names were written.

    Raises:
        ValueError: a prefix fits no name.
    """
    weights = torch.load(source, map_location="cpu", weights_only=True)["model"]
    idle = [prefix for prefix in prefixes if not any(name.startswith(prefix) for name in weights)]
    if idle:
        raise ValueError(f"{source} has no weights that begin with {', '.join(idle)}")
    kept = {name: value for name, value in weights.items() if name.startswith(tuple(prefixes))}
    Path(out).parent.mkdir(parents=True, exist_ok=True)
    torch.save({"model": kept}, out)
    return len(kept)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("source", help="checkpoint that train_net.py wrote")
    parser.add_argument("out", help="file to write")
    parser.add_argument("prefix", nargs="+", help="beginning of the names that are kept")
    args = parser.parse_args()
    print(f"{shared_weights(args.source, args.out, args.prefix)} names in {args.out}")


if __name__ == "__main__":
    main()
