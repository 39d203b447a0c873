"""Scripted events of SynthVIS: what they do to looks and occlusion, and how all of them are applied to a stage.

Events that bend paths live in `event_paths`; the convention is the same: (rng, stage, share) edits the stage.
"""

from collections.abc import Mapping

import numpy as np

from vis_projects.data.synth.event_paths import bump, cross, crowd, fast, late, leave, pick
from vis_projects.data.synth.looks import Look, draw_look
from vis_projects.data.synth.motion import FOLLOW
from vis_projects.data.synth.presets import EVENT_NAMES
from vis_projects.data.synth.sprite import Sprite
from vis_projects.data.synth.stage import Stage

CHANGES = ("hue", "mirror", "lights", "scale")


def apply_events(rng: np.random.Generator, stage: Stage, shares: Mapping[str, float]) -> list[str]:
    """Applies the events in a fixed order; each has its own generator, so switching one off leaves the rest.

    Returns:
        Names of the events that touched a track, in that order.
    """
    seeds = rng.integers(2**63, size=len(EVENT_NAMES))
    for name, seed in zip(EVENT_NAMES, seeds):
        if shares.get(name, 0.0) > 0.0:
            _EVENTS[name](np.random.Generator(np.random.PCG64(int(seed))), stage, shares[name])
    return [name for name in EVENT_NAMES if any(name in track.events for track in stage.tracks)]


def lookalike(rng: np.random.Generator, stage: Stage, share: float) -> None:
    """Groups of 2-4 tracks of one class, one texture, size within 5 % and hue within 2 % of the circle."""
    members = pick(rng, stage.tracks, share)
    if len(members) == 1 and len(stage.tracks) > 1:
        members.append(next(track for track in stage.tracks if track is not members[0]))
    group = 0
    while len(members) > 1:
        size = 2 if len(members) in (2, 4, 5) else int(min(len(members), 3 + rng.integers(2)))
        leader = min(members[:size], key=stage.tracks.index)
        for member in members[:size]:
            member.group = group
            member.events.append("lookalike")
            if member is not leader:
                member.kind, member.category_id = leader.kind, leader.category_id
                member.proportions = leader.proportions
                member.size = leader.size * float(rng.uniform(0.95, 1.05))
                member.look = leader.look.turned(float(rng.uniform(-0.02, 0.02)) * 2 * np.pi)
        members, group = members[size:], group + 1


def occlude(rng: np.random.Generator, stage: Stage, share: float) -> None:
    """Passes behind a pole, fence, bush, wall or larger object for about 2-8 frames, some of them fully."""
    for sprite in pick(rng, stage.tracks, share):
        frames = int(rng.integers(2, 9))
        full = rng.random() < stage.preset.full_occlusion
        by_object = rng.random() < 0.3
        look = draw_look(rng, stage.split)
        draws = rng.random(4)
        larger = [other for other in stage.tracks if other is not sprite and other.size > 1.15 * sprite.size]
        time = _fastest_free(rng, stage, sprite, frames)
        if time is None:
            continue
        if by_object and larger:
            done = _behind_object(stage, sprite, larger[int(draws[0] * len(larger))], time, frames)
        else:
            done = True
            _behind_prop(stage, sprite, time, frames, full, draws, look)
        if done:
            sprite.claim(time - frames // 2, time + frames // 2 + 1, "occlude")


def change(rng: np.random.Generator, stage: Stage, share: float) -> None:
    """Hue drifts by 60-120 degrees, the object mirrors, its light goes off and on, or its size doubles."""
    t = np.arange(stage.length)
    for sprite in pick(rng, stage.tracks, share):
        kind = CHANGES[int(rng.integers(len(CHANGES)))]
        amount, sign = float(rng.uniform(60, 120)), 1.0 if rng.random() < 0.5 else -1.0
        time, width = int(rng.integers(stage.length // 4, max(3 * stage.length // 4, stage.length // 4 + 1))), 3
        progress = np.clip((t - time + width) / (2.0 * width), 0.0, 1.0)
        progress = progress * progress * (3.0 - 2.0 * progress)
        if kind == "hue":
            sprite.hue_shift = sprite.hue_shift + sign * np.deg2rad(amount) * progress
        elif kind == "mirror":
            sprite.mirror[time:] *= -1.0
        elif kind == "lights":
            sprite.gain = sprite.gain * (1.0 - 0.65 * (np.abs(t - time) < 3))
        else:
            grows = 4 * sprite.size <= 1.4 * stage.preset.object_height[1]
            sprite.scale = sprite.scale * np.exp((1.0 if grows else -1.0) * np.log(2.0) * progress)
        sprite.events.append("change")


def _fastest_free(rng: np.random.Generator, stage: Stage, sprite: Sprite, frames: int) -> int | None:
    """Among half of the free frames inside the frame, the one where the sprite moves fastest sideways."""
    best = None
    for time in rng.permutation(stage.length)[:max(stage.length // 2, 1)]:
        time = int(time)
        x, y = sprite.xy[time]
        inside = 0.1 < x < stage.aspect - 0.1 and 0.1 < y < 0.9
        if inside and 0 < time < stage.length - 1 and sprite.free(time - frames // 2, time + frames // 2 + 1):
            speed = abs(float(sprite.xy[time + 1, 0] - sprite.xy[time - 1, 0]))
            if best is None or speed > best[0]:
                best = (speed, time)
    return None if best is None else best[1]


def _behind_prop(stage: Stage, sprite: Sprite, time: int, frames: int, full: bool, draws: np.ndarray,
                 look: Look) -> None:
    """Puts a static occluder where the sprite is at `time`."""
    step = abs(float(sprite.xy[min(time + 1, stage.length - 1), 0] - sprite.xy[max(time - 1, 0), 0])) / 2
    half_x, half_y = (half * float(sprite.scale[time]) for half in sprite.half_extent)
    x, y = sprite.xy[time] + FOLLOW * stage.camera.offset[time]
    reach = min(0.5 * step * frames, 0.25 * stage.aspect)
    if full:
        kind, width, height = ("wall", "bush")[int(draws[0] * 2)], half_x + 0.5 * reach, 1.25 * half_y
    else:
        kind = ("pole", "fence", "bush", "wall")[int(draws[0] * 4)]
        width = max(half_x * (0.25 + 0.45 * draws[1]), 0.5 * reach)
        height = half_y * (0.9 + 0.6 * draws[2])
        y += half_y * 0.5 * (draws[3] - 0.2)
    if kind == "pole":
        width, height = min(width, 0.6 * half_x), 1.0
    if kind == "bush":
        width, height = 1.2 * width, 1.2 * height
    size = max(width, height)
    proportions = (width / size, height / size, max(0.07 / size, 0.25), 1.0)
    depth = sprite.depth.max() + 0.5 * draws[1] * max(1.0 - sprite.depth.max(), 0.0) + 1e-3
    if stage.ground:
        depth = y + half_y + 0.02
    stage.props.append(Sprite.still(kind, 0, proportions, float(size), look, (float(x), float(y)), stage.length,
                                    depth=np.full(stage.length, float(depth)), followed=False))


def _behind_object(stage: Stage, sprite: Sprite, larger: Sprite, time: int, frames: int) -> bool:
    """Leads the sprite behind a larger one and back; False where that one is too far away or not alive."""
    half = frames // 2 + 2
    distance = float(np.hypot(*(sprite.xy[time] - larger.xy[time])))
    if distance > 0.8 * half * sprite.root_area or not larger.alive[max(time - half, 0):time + half].all():
        return False
    weight = bump(stage.length, time, half)[:, None]
    sprite.xy = (1 - weight) * sprite.xy + weight * larger.xy
    if not stage.ground and sprite.depth[0] >= larger.depth[0]:
        sprite.depth, larger.depth = larger.depth.copy(), sprite.depth.copy()
    return True


_EVENTS = {"lookalike": lookalike, "crowd": crowd, "late": late, "leave": leave, "cross": cross, "occlude": occlude,
           "fast": fast, "change": change}
