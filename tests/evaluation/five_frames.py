"""Worlds of five frames with known answers, shared by the tests of HOTA, IDF1 and CLEAR MOT."""

import numpy as np

FRAMES = range(5)


def overlaps(pairs: dict, num_truths: int, num_found: int, num_frames: int = 5) -> np.ndarray:
    """IoU (F, G, D) from {(object, prediction): {frame: IoU}}."""
    iou = np.zeros((num_frames, num_truths, num_found))
    for (g, d), by_frame in pairs.items():
        for t, value in by_frame.items():
            iou[t, g, d] = value
    return iou


def present(*frames_of_each, num_frames: int = 5) -> np.ndarray:
    """bool (F, N) from the frames in which each is there."""
    table = np.zeros((num_frames, len(frames_of_each)), dtype=bool)
    for k, frames in enumerate(frames_of_each):
        table[list(frames), k] = True
    return table


# name -> (pairs that overlap fully and in which frames, frames of each object, frames of each prediction)
WORLDS = {
    "no confusion": ({(0, 0): FRAMES, (1, 1): FRAMES}, [FRAMES, FRAMES], [FRAMES, FRAMES]),
    # one object, given up by one prediction after frame 2 and taken up by another one
    "one switch": ({(0, 0): [0, 1, 2], (0, 1): [3, 4]}, [FRAMES], [[0, 1, 2], [3, 4]]),
    # two predictions change places after frame 2
    "swapped": (
        {(0, 0): [0, 1, 2], (1, 1): [0, 1, 2], (0, 1): [3, 4], (1, 0): [3, 4]}, [FRAMES, FRAMES], [FRAMES, FRAMES],
    ),
    # one prediction follows one object and then, when that has left, another one
    "joined": ({(0, 0): [0, 1], (1, 0): [2, 3, 4]}, [[0, 1], [2, 3, 4]], [FRAMES]),
    # lost in frames 2 and 3, found again under the same id
    "missed frames": ({(0, 0): [0, 1, 4]}, [FRAMES], [[0, 1, 4]]),
    # a second prediction in two frames in which there is nothing
    "false frames": ({(0, 0): FRAMES}, [FRAMES], [FRAMES, [1, 2]]),
    # the object itself is away in frames 1 to 3 and comes back under another id
    "returns": ({(0, 0): [0], (0, 1): [4]}, [[0, 4]], [[0], [4]]),
    # found, lost, found, lost, found under another id
    "on and off": ({(0, 0): [0, 2], (0, 1): [4]}, [FRAMES], [[0, 2], [4]]),
    "nothing found": ({}, [FRAMES], []),
    "nothing there": ({}, [], [[0, 1]]),
}


def world(name: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(IoU, objects present, predictions present)."""
    pairs, truths, found = WORLDS[name]
    filled = {pair: dict.fromkeys(frames, 1.0) for pair, frames in pairs.items()}
    return overlaps(filled, len(truths), len(found)), present(*truths), present(*found)
