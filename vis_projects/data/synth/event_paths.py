"""Events that bend paths: cross, leave, late, fast, crowd.

Each event is a function (rng, stage, share) that edits the tracks of the stage in place; `share` is the share of
tracks (of videos for `crowd`) that it is tried on. A track without a free stretch of frames is left as it is.
"""

import numpy as np

from vis_projects.data.synth.motion import fold_into
from vis_projects.data.synth.sprite import Sprite
from vis_projects.data.synth.stage import Stage

OUTSIDE_MARGIN = 0.12
"""Gap between frame and an object that left, in frame heights: the share of a pan that the camera does not follow."""
RAMP_SPEED = 0.3
"""Step, over the square root of the area, of an object on its way out or in."""


def pick(rng: np.random.Generator, tracks: list[Sprite], share: float) -> list[Sprite]:
    """About `share` of the tracks in random order; the expected number is exact."""
    count = int(share * len(tracks) + rng.random())
    return [tracks[k] for k in rng.permutation(len(tracks))[:count]]


def bump(length: int, centre: int, half_width: int) -> np.ndarray:
    """(length,) weight: 1 at `centre`, falling as cos^2 to 0 at `half_width` frames from it."""
    distance = np.minimum(np.abs(np.arange(length) - centre) / half_width, 1.0)
    return np.cos(0.5 * np.pi * distance) ** 2


def cross(rng: np.random.Generator, stage: Stage, share: float) -> None:
    """Pairs meet with an overlap of 0.4 to 1 of the smaller; half of them swap the rest of their paths."""
    for first, second in _pairs(rng, stage, share):
        found = _meeting(rng, stage, first, second)
        if found is None:
            continue
        time, half = found
        swap = rng.random() < 0.5
        if swap:
            first.xy[time:], second.xy[time:] = second.xy[time:].copy(), first.xy[time:].copy()
        overlap, angle = rng.uniform(0.4, 1.0), rng.uniform(0, 2 * np.pi)
        gap = (1.0 - overlap) * 1.4 * min(first.size, second.size)
        offset = 0.5 * gap * np.array([np.cos(angle), np.sin(angle)])
        meet = 0.5 * (first.xy[time] + second.xy[time])
        for sprite, target in ((first, meet + offset), (second, meet - offset)):
            weight = bump(stage.length, time, half)[:, None]
            sprite.xy = (1 - weight) * sprite.xy + weight * target
            sprite.claim(time - half, time + half + 1, "cross")


def leave(rng: np.random.Generator, stage: Stage, share: float) -> None:
    """Out of the frame for some frames and back elsewhere, half of the time mirrored."""
    for sprite in pick(rng, stage.tracks, share):
        gap = int(rng.integers(stage.preset.gap_frames[0], stage.preset.gap_frames[1] + 1))
        starts = rng.permutation(np.arange(2, max(stage.length - gap - 2, 3)))[:6]
        plans = [_excursion(sprite, stage, int(start), gap) for start in starts]
        plans = [plan for plan in plans if plan is not None and sprite.free(plan[0], plan[3] + 1)]
        mirrored = rng.random() < 0.5
        if not plans:
            continue
        begin, out, back, end = min(plans, key=lambda plan: plan[3] - plan[0])
        exit_point = outside_point(sprite, stage, sprite.xy[begin])
        entry_point = outside_point(sprite, stage, sprite.xy[end])
        _move(sprite, begin, out, exit_point)
        sprite.xy[out:back] = exit_point
        sprite.xy[back] = entry_point
        _move(sprite, end, back, entry_point)
        if mirrored:
            sprite.mirror[back:] *= -1.0
        sprite.claim(begin, end + 1, "leave")


def late(rng: np.random.Generator, stage: Stage, share: float) -> None:
    """Comes in after a third of the video, or goes for good before two thirds."""
    length = stage.length
    for sprite in pick(rng, stage.tracks, share):
        third = int(np.ceil(length / 3))
        time = int(rng.integers(third, max(int(0.55 * length), third + 1)))
        born = rng.random() < 0.75
        if length < 6 or not sprite.free(0, length):
            continue
        if born:
            ramp = _ramp_frames(sprite, stage, min(time + 3, length - 1))
            end = min(time + ramp, length - 1)
            sprite.alive[:time] = False
            _move(sprite, end, time, outside_point(sprite, stage, sprite.xy[end]))
            sprite.claim(time, end + 1, "late")
        else:
            stop = length - time
            begin = max(stop - _ramp_frames(sprite, stage, max(stop - 3, 0)), 0)
            sprite.alive[stop:] = False
            _move(sprite, begin, stop, outside_point(sprite, stage, sprite.xy[begin]))
            sprite.claim(begin, stop, "late")


def fast(rng: np.random.Generator, stage: Stage, share: float) -> None:
    """Three or four frames with steps of 1.1 to 1.5 square roots of the area; the rest of the path moves along."""
    for sprite in pick(rng, stage.tracks, share):
        frames = int(rng.integers(3, 5))
        step = float(rng.uniform(1.1, 1.5)) * sprite.root_area
        starts = rng.permutation(max(stage.length - frames, 1))
        angles = rng.uniform(0, 2 * np.pi) + np.arange(8) * np.pi / 4
        start = next((int(s) for s in starts if sprite.free(int(s), int(s) + frames + 1)), None)
        if start is None:
            continue
        region = stage.region_of(sprite)
        ends = sprite.xy[start] + frames * step * np.stack([np.cos(angles), np.sin(angles)], axis=1)
        overshoot = np.abs(ends - fold_into(ends, region)).sum(axis=1)
        shift = ends[int(np.argmin(overshoot))] - sprite.xy[start]
        tail = sprite.xy[start + frames:] - sprite.xy[start + frames] + sprite.xy[start] + shift
        share_done = np.arange(frames)[:, None] / frames
        dash = fold_into(np.concatenate([sprite.xy[start] + share_done * shift, tail]), region)
        sprite.xy = np.concatenate([sprite.xy[:start], dash])
        sprite.claim(start, start + frames + 1, "fast")


def crowd(rng: np.random.Generator, stage: Stage, share: float) -> None:
    """Five or more tracks move as a group within 2.5 sizes of each other for at least half of the video."""
    wanted, order = rng.random() < share, rng.permutation(len(stage.tracks))
    angles, radii = rng.uniform(0, 2 * np.pi, size=len(order)), np.sqrt(rng.random(len(order)))
    count = int(rng.integers(5, 8))
    if not wanted or len(stage.tracks) < 5:
        return
    members = [stage.tracks[k] for k in order[:count]]
    size = float(np.mean([member.size for member in members]))
    centre = members[0].xy
    centre = fold_into(centre, (1.6 * size, 1.6 * size, stage.aspect - 1.6 * size, 1.0 - 1.6 * size))
    weight = np.clip(np.minimum(np.arange(stage.length), stage.length - 1 - np.arange(stage.length)) / 4.0, 0, 1)
    weight = (weight * weight * (3 - 2 * weight))[:, None]
    for member, angle, radius in zip(members, angles, radii):
        spot = centre + 2.5 * size * radius * np.array([np.cos(angle), 0.7 * np.sin(angle)])
        member.xy = (1 - weight) * member.xy + weight * (spot + 0.15 * (member.xy - spot))
        member.events.append("crowd")


def outside_point(sprite: Sprite, stage: Stage, start: np.ndarray) -> np.ndarray:
    """The nearest point to `start` (2,) from which nothing of the sprite reaches into the frame."""
    reach_x, reach_y = (1.25 * float(sprite.scale.max()) * half + OUTSIDE_MARGIN for half in sprite.half_extent)
    if stage.ground:
        reach_x, reach_y = 1.4 * reach_x, 1.4 * reach_y
    candidates = [np.array([-reach_x, start[1]]), np.array([stage.aspect + reach_x, start[1]]),
                  np.array([start[0], 1.0 + reach_y])]
    if not stage.ground:
        candidates.append(np.array([start[0], -reach_y]))
    distances = [float(np.hypot(*(point - start))) for point in candidates]
    return candidates[int(np.argmin(distances))]


def _ramp_frames(sprite: Sprite, stage: Stage, time: int) -> int:
    """Frames that the sprite needs from its place at `time` to the outside."""
    distance = float(np.hypot(*(outside_point(sprite, stage, sprite.xy[time]) - sprite.xy[time])))
    return int(np.clip(np.ceil(distance / (RAMP_SPEED * sprite.root_area)), 2, stage.length // 3 + 1))


def _excursion(sprite: Sprite, stage: Stage, out: int, gap: int) -> tuple[int, int, int, int] | None:
    """(begin, out, back, end): leaves from `begin`, is outside at `out`..`back`, and on its path again at `end`."""
    back = out + gap - 1
    if back >= stage.length - 1:
        return None
    begin = out - _ramp_frames(sprite, stage, out)
    if begin < 0:
        return None
    end = back + _ramp_frames(sprite, stage, back)
    return (begin, out, back, end) if end < stage.length else None


def _move(sprite: Sprite, anchor: int, time: int, target: np.ndarray) -> None:
    """Straight line from the place at frame `anchor` to `target`, reached at frame `time` (before or after)."""
    start, frames = sprite.xy[anchor].copy(), abs(time - anchor)
    for k in range(1, frames + 1):
        frame = anchor + k * (1 if time > anchor else -1)
        if 0 <= frame < sprite.length:
            sprite.xy[frame] = start + (target - start) * (k / frames)


def _pairs(rng: np.random.Generator, stage: Stage, share: float) -> list[tuple[Sprite, Sprite]]:
    """Disjoint pairs for `cross`: one of look-alikes first, then random ones."""
    tracks = [stage.tracks[k] for k in rng.permutation(len(stage.tracks))]
    count = int(share * len(tracks) / 2 + rng.random())
    pairs: list[tuple[Sprite, Sprite]] = []
    grouped = [(a, b) for k, a in enumerate(tracks) for b in tracks[k + 1:] if a.group >= 0 and a.group == b.group]
    if grouped and share > 0:
        pairs.append(grouped[0])
        tracks = [track for track in tracks if track not in grouped[0]]
    while len(tracks) > 1 and len(pairs) < count:
        pairs.append((tracks.pop(), tracks.pop()))
    return pairs


def _meeting(rng: np.random.Generator, stage: Stage, first: Sprite, second: Sprite) -> tuple[int, int] | None:
    """(frame, half-width of the bend) where the two are closest among the free stretches, or None."""
    speed = 0.33 * min(first.root_area, second.root_area)
    best = None
    for time in rng.permutation(stage.length)[:max(stage.length // 2, 1)]:
        time = int(time)
        distance = float(np.hypot(*(first.xy[time] - second.xy[time])))
        half = int(np.clip(np.ceil(0.8 * distance / speed), 3, max(stage.length // 4, 3)))
        if all(sprite.free(time - half, time + half + 1) for sprite in (first, second)):
            if best is None or distance < best[0]:
                best = (distance, time, half)
    return None if best is None else best[1:]
