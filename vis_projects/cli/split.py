"""Splits an annotated set into training and validation videos: the same seed gives the same files.

  vis split data/val/instances.json --val 0.25 --seed 0 --stratify class,length --out split
  vis split --standard ytvis_2019 --root datasets

No video is in both halves, and every class with two or more videos is. Both files list their videos and a hash of
them. --standard makes our reference split of a released training file (ytvis_2019, ytvis_2021, ovis), registered as
<name>_train_ref and <name>_val_ref; its fraction, seed and strata are fixed.
"""

import argparse

NAME = "split"
HELP = "seeded training / validation split of a json"
STANDARD = ("ytvis_2019", "ytvis_2021", "ovis")
VAL_FRACTION, SEED, STRATIFY = 0.1, 0, "class,length"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of the verb."""
    parser.add_argument("json", nargs="?", help="annotations of all videos")
    parser.add_argument("--val", type=float, help=f"fraction of the videos to hold out ({VAL_FRACTION})")
    parser.add_argument("--seed", type=int, help=f"({SEED})")
    parser.add_argument("--stratify", help=f"what both parts shall have alike ({STRATIFY})")
    parser.add_argument("--out", help="folder for the two files (beside the json)")
    parser.add_argument("--standard", choices=STANDARD, help="reference split of this set instead of a json")
    parser.add_argument("--root", help="folder of all data sets, for --standard (DETECTRON2_DATASETS, or datasets)")


def run(args: argparse.Namespace) -> None:
    """Runs the verb."""
    from vis_projects.engine import DataError, split_file, split_reference

    own = (args.json, args.val, args.seed, args.stratify, args.out)
    if args.standard:
        if any(value is not None for value in own):
            raise DataError("--standard fixes the json and all options; give --root alone, or leave --standard out")
        print(split_reference(args.standard, args.root))
        return
    if args.json is None or args.root is not None:
        raise DataError("vis split: give a json to split, or --standard with --root")
    stratify = STRATIFY if args.stratify is None else args.stratify
    print(split_file(args.json, val_fraction=VAL_FRACTION if args.val is None else args.val, seed=args.seed or SEED,
                     stratify=tuple(name for name in stratify.split(",") if name), out_dir=args.out))
