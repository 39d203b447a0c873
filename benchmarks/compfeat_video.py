"""Prints what CompFeat remembers of a long video: 2,000 small frames through the whole model, frame by frame.

    python benchmarks/compfeat_video.py [--frames 2000] [--support uniform_past]

The small model of the quick schedules with random weights on 64 x 96 noise, every detection a track that is kept for 20
frames. "state" is the tensors of the support cache and of the track memory, "resident" the process's memory.
"""

import argparse
import sys
import time
from pathlib import Path

import torch
from detectron2.modeling import build_model

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from vis_projects import get_vis_cfg  # noqa: E402

CONFIG = ROOT / "configs/quick_schedules/compfeat_R_50_FPN_narrow_synthvis_tiny.yaml"
DIFFERENT_FRAMES = 50


def main() -> None:
    """Runs the video and prints a row at every tenth of it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--frames", type=int, default=2000)
    parser.add_argument("--support", default="uniform_past", choices=("uniform_past", "recent"))
    args = parser.parse_args()
    cfg = get_vis_cfg()
    cfg.merge_from_file(str(CONFIG))
    cfg.merge_from_list(["MODEL.COMPFEAT.TEST.SUPPORT", args.support, "MODEL.COMPFEAT.TRACK.RETAIN_FRAMES", 20,
                         "MODEL.ROI_HEADS.SCORE_THRESH_TEST", 0.0])
    torch.manual_seed(0)
    model = build_model(cfg).eval()
    noise = torch.randint(0, 256, (DIFFERENT_FRAMES, 3, 64, 96), dtype=torch.uint8)
    state, start = model.init_state({"height": 64, "width": 96}), time.process_time()
    print(f"{args.support}, {state.inference_mode}, 64x96, cache of {cfg.MODEL.COMPFEAT.TEST.CACHE_FRAMES} frames\n")
    print("| frame | tracks remembered | ids so far | state MB | resident MB | CPU s |\n|---|---|---|---|---|---|")
    for t in range(args.frames):
        _, state = model.step(noise[t % DIFFERENT_FRAMES], state)
        if (t + 1) % max(args.frames // 10, 1) == 0:
            memory, kept = state.tracker.memory, state.supports.nbytes
            resident = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1]) * 4096 / 1e6
            megabytes = (kept + memory.embeddings.nbytes) / 1e6
            print(f"| {t + 1} | {len(memory)} | {int(memory.ids[-1]) + 1} | {megabytes:.2f} | {resident:.0f} | "
                  f"{time.process_time() - start:.0f} |", flush=True)


if __name__ == "__main__":
    main()
