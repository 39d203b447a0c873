import numpy as np
import pytest

from vis_projects.data.synth.backgrounds import BACKGROUND_KINDS, crop_canvas, draw_background_kind, draw_canvas
from vis_projects.data.synth.presets import PRESETS


def generator(seed=0):
    return np.random.Generator(np.random.PCG64(seed))


def test_every_kind_is_drawn_and_fills_its_canvas():
    kinds = set()
    for seed in range(25):
        kinds.add(draw_background_kind(generator(seed)))
        canvas = draw_canvas(generator(seed), PRESETS["tiny"], 40, 24, None)
        assert canvas.shape == (38, 64, 3) and canvas.dtype == np.float32  # 1.6 * (24, 40)
        assert 0.0 <= canvas.min() and canvas.max() <= 1.0
    assert kinds == set(BACKGROUND_KINDS)


def test_crop_at_rest_is_the_middle_of_the_canvas():
    canvas = generator().random((8, 12, 3)).astype(np.float32)
    assert np.allclose(crop_canvas(canvas, 6, 4, (0.0, 0.0), 1.0), canvas[2:6, 3:9])


def test_pan_of_half_a_frame_height_moves_by_that_many_pixels():
    canvas = generator().random((8, 12, 3)).astype(np.float32)
    assert np.allclose(crop_canvas(canvas, 6, 4, (0.5, -0.25), 1.0), canvas[1:5, 5:11])  # 2 right, 1 up


@pytest.mark.parametrize("zoom", [0.5, 1.0, 2.0])
def test_constant_canvas_stays_constant(zoom):
    canvas = np.full((8, 12, 3), 0.25, dtype=np.float32)
    assert np.allclose(crop_canvas(canvas, 6, 4, (3.0, 3.0), zoom), 0.25)
