"""Light, sensor noise and focus of a video; none of it touches masks."""

from dataclasses import dataclass

import numpy as np

from vis_projects.data.synth.motion import pink_noise
from vis_projects.data.synth.presets import Preset


@dataclass(frozen=True)
class Light:
    """Illumination over T frames.

    Attributes:
        gain: (T, 3) factor per sRGB channel: brightness and colour temperature.
        shadow: (T, 3) moving shadow edge as (cos, sin, offset): pixels with x cos + y sin < offset (frame heights)
            are darkened; None without one.
    """

    gain: np.ndarray
    shadow: np.ndarray | None


@dataclass(frozen=True)
class Sensor:
    """What the camera does to a finished frame.

    Attributes:
        sigma: standard deviation of the noise in grey levels.
        seeds: (T,) seed of each frame's noise.
        jpeg_quality: quality of the written files.
    """

    sigma: float
    seeds: np.ndarray
    jpeg_quality: int


def draw_light(rng: np.random.Generator, length: int) -> Light:
    """Smooth gain within 0.5-1.6; 15 % of videos have a dark interval, 10 % a moving shadow edge."""
    level = np.exp(0.12 * pink_noise(rng, length, waves=2) + rng.uniform(-0.15, 0.25))
    warmth = 0.05 * pink_noise(rng, length, waves=2)
    dark, start, frames = rng.random() < 0.15, int(rng.integers(max(length - 2, 1))), int(rng.integers(2, 6))
    level = np.clip(level, 0.5, 1.6)
    if dark:
        level[start:start + frames] = 0.3
    gain = level[:, None] * np.stack([1 + warmth, np.ones(length), 1 - warmth], axis=1)
    has_shadow, angle, begin = rng.random() < 0.10, rng.uniform(0, 2 * np.pi), rng.uniform(-0.3, 0.3)
    end = begin + rng.uniform(0.4, 1.2)
    if not has_shadow:
        return Light(gain, None)
    offsets = np.linspace(begin, end, length)
    edge = np.stack([np.full(length, np.cos(angle)), np.full(length, np.sin(angle)), offsets], axis=1)
    return Light(gain, edge)


def draw_sensor(rng: np.random.Generator, preset: Preset, length: int) -> Sensor:
    """Noise of 0 to `max_noise` grey levels, JPEG quality 75-92."""
    return Sensor(float(rng.uniform(0.0, preset.max_noise)), rng.integers(2**63, size=length),
                  int(rng.integers(75, 93)))


def draw_defocus(rng: np.random.Generator) -> float:
    """Standard deviation of the defocus in pixels; 0 in 85 % of the videos."""
    out_of_focus, sigma = rng.random() < 0.15, float(rng.uniform(0.4, 1.2))
    return sigma if out_of_focus else 0.0


def apply_light(frame: np.ndarray, light: Light, time: int) -> np.ndarray:
    """(H, W, 3) float32 frame under the light of frame `time`."""
    frame = frame * light.gain[time].astype(np.float32)
    if light.shadow is not None:
        height, width = frame.shape[:2]
        c, s, offset = light.shadow[time]
        x, y = (np.arange(width) + 0.5) / height, (np.arange(height) + 0.5) / height
        depth = (offset - (x[None, :] - 0.5 * width / height) * c - (y[:, None] - 0.5) * s) / 0.05
        frame = frame * (1.0 - 0.45 * np.clip(depth, 0.0, 1.0)).astype(np.float32)[..., None]
    return frame


def apply_sensor(frame: np.ndarray, sensor: Sensor, time: int) -> np.ndarray:
    """(H, W, 3) float32 in [0, 1] to uint8 with the noise of frame `time`."""
    rng = np.random.Generator(np.random.PCG64(int(sensor.seeds[time])))
    noisy = frame * np.float32(255.0)
    if sensor.sigma > 0.0:
        noisy += np.float32(sensor.sigma) * rng.standard_normal(frame.shape, dtype=np.float32)
    return np.clip(np.rint(noisy), 0, 255).astype(np.uint8)
