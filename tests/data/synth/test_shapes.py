import numpy as np
import pytest
from scipy import ndimage

from vis_projects.data.synth.clutter import ALL_SHAPES, OCCLUDER_SHAPES, extent_of
from vis_projects.data.synth.presets import CLASS_NAMES, PRESETS
from vis_projects.data.synth.shapes import CLASS_SHAPES

PHASES = np.linspace(0.0, 2 * np.pi, 9)[:-1]
PLAIN = (1.0, 1.0, 1.0, 1.0)


def mask_of(kind, phase, proportions=PLAIN, pixels=128, reach=1.4):
    grid = ((np.arange(pixels) + 0.5) / pixels * 2 - 1) * reach
    x, y = np.meshgrid(grid, grid)
    return ALL_SHAPES[kind].draw(x, y, proportions, phase)[0] < 0.0, x, y


def test_one_shape_per_class_in_order():
    assert tuple(CLASS_SHAPES) == CLASS_NAMES


@pytest.mark.parametrize("kind", ALL_SHAPES)
@pytest.mark.parametrize("spread", [0.85, 1.0, 1.15])
def test_shape_stays_in_its_extent_and_is_not_empty(kind, spread):
    proportions = (1.0, 0.8, 0.4, 1.0) if kind in OCCLUDER_SHAPES else (spread,) * 4
    half_width, half_height = extent_of(kind, proportions)
    for phase in PHASES:
        mask, x, y = mask_of(kind, phase, proportions)
        assert mask.mean() > 0.04
        assert np.abs(x[mask]).max() <= half_width + 0.02 and np.abs(y[mask]).max() <= half_height + 0.02


@pytest.mark.parametrize("kind", CLASS_NAMES)
def test_root_area_is_typical(kind):
    areas = [mask_of(kind, phase)[0].mean() * 2.8**2 for phase in PHASES]
    assert np.sqrt(np.mean(areas)) == pytest.approx(CLASS_SHAPES[kind].root_area, rel=0.2)


def test_ball_is_a_unit_disc():
    mask, x, y = mask_of("ball", 0.3)
    assert np.array_equal(mask, np.hypot(x, y) < 1.0)


@pytest.mark.parametrize("phase", PHASES)
def test_ring_has_one_hole(phase):
    mask, _, _ = mask_of("ring", phase)
    assert ndimage.label(~mask)[1] == 2


def test_wings_change_the_area_of_a_bird_by_half_at_least():
    areas = [mask_of("bird", phase)[0].sum() for phase in PHASES]
    assert max(areas) > 1.5 * min(areas)


@pytest.mark.parametrize("preset,kind", [
    (p, k) for p in ("tiny", "small") for k in CLASS_NAMES[:PRESETS[p].num_classes]
])
def test_parts_are_wider_than_a_pixel_at_the_smallest_size(preset, kind):
    low, _ = PRESETS[preset].object_height
    size_px = low * PRESETS[preset].height / (2 * CLASS_SHAPES[kind].half_height)
    pixels = round(2.8 * size_px)
    for phase in PHASES:
        mask, _, _ = mask_of(kind, phase, pixels=pixels)
        kept = ndimage.binary_opening(mask, structure=np.ones((2, 2)))
        assert mask.sum() - kept.sum() <= 0.12 * mask.sum()
