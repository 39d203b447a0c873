import itertools

import numpy as np
import pytest

from vis_projects.data.synth import SynthVIS
from vis_projects.data.synth.looks import (FREQUENCIES, HUE_WEDGES, MIN_COLOUR_DISTANCE, PATTERNS, Look, draw_look, fbm,
                                           lab_to_rgb, pattern_map, turn_hue)


def generator(seed=0):
    return np.random.Generator(np.random.PCG64(seed))


def test_lab_of_known_colours():
    assert lab_to_rgb(np.array([0.0, 0.0, 0.0])) == pytest.approx([0.0, 0.0, 0.0], abs=1e-6)
    assert lab_to_rgb(np.array([100.0, 0.0, 0.0])) == pytest.approx([1.0, 1.0, 1.0], abs=2e-3)
    assert lab_to_rgb(np.array([53.24, 80.09, 67.20])) == pytest.approx([1.0, 0.0, 0.0], abs=1e-2)


def test_a_quarter_turn_of_the_hue():
    assert turn_hue((50.0, 3.0, 0.0), np.pi / 2) == pytest.approx((50.0, 0.0, 3.0))


def test_splits_share_neither_hues_nor_frequencies():
    for a, b in itertools.combinations(HUE_WEDGES, 2):
        assert not set(HUE_WEDGES[a]) & set(HUE_WEDGES[b])
        assert FREQUENCIES[a][1] < FREQUENCIES[b][0] or FREQUENCIES[b][1] < FREQUENCIES[a][0]


@pytest.mark.parametrize("split", HUE_WEDGES)
def test_drawn_looks_have_two_distinct_colours_of_their_split(split):
    rng = generator()
    for _ in range(100):
        look = draw_look(rng, split)
        assert np.sqrt(np.square(np.subtract(*look.colours)).sum()) >= MIN_COLOUR_DISTANCE
        wedge = int(np.rad2deg(np.arctan2(look.colours[0][2], look.colours[0][1])) % 360 // 15)
        assert wedge in HUE_WEDGES[split]


@pytest.mark.parametrize("pattern", PATTERNS)
def test_patterns_are_weights(pattern):
    look = Look(pattern, ((50.0, 0.0, 0.0), (80.0, 0.0, 0.0)), 3.0, 0.4, 0.0, 5)
    weight = pattern_map(look, 32)
    assert weight.shape == (32, 32) and weight.dtype == np.float32
    assert weight.min() >= 0.0 and weight.max() <= 1.0
    assert (weight.std() > 0.05) == (pattern != "plain")


def test_fbm_fills_the_unit_interval_smoothly():
    noise = fbm(generator(), 40, 70, 2.0, octaves=1)
    assert noise.shape == (40, 70) and 0.0 <= noise.min() < noise.max() <= 1.0
    assert np.abs(np.diff(noise, axis=1)).max() < 0.2


def test_mean_colour_does_not_tell_the_class():
    split = SynthVIS("small", "train")
    videos = [[(t.category_id - 1, lab_to_rgb(np.array(t.look.colours)).mean(axis=0)) for t in split.scene(i).tracks]
              for i in range(200)]
    train, test = (sum(videos[k::2], []) for k in (0, 1))
    centres = np.array([np.mean([colour for c, colour in train if c == k], axis=0) for k in range(8)])
    hits = [int(np.square(centres - colour).sum(axis=1).argmin()) == c for c, colour in test]
    assert np.mean(hits) <= 1 / 8 + 0.05
