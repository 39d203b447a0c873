import numpy as np

from vis_projects.data.synth.clutter import ALL_SHAPES, CLUTTER_SHAPES, OCCLUDER_SHAPES, extent_of


def test_clutter_and_occluders_share_no_name_with_a_class():
    assert set(CLUTTER_SHAPES) == {"plus", "triangle", "blob"}
    assert set(OCCLUDER_SHAPES) == {"pole", "wall", "fence", "bush"}
    assert len(ALL_SHAPES) == 8 + 3 + 4


def test_extent_of_an_occluder_is_its_proportions():
    assert extent_of("wall", (0.3, 1.0, 0.25, 1.0)) == (0.3, 1.0)
    assert extent_of("plus", (0.9, 0.9, 0.9, 0.9)) == (1.0, 1.0)


def test_fence_shows_what_is_behind_it():
    x, y = np.meshgrid(np.linspace(-1, 1, 101), np.array([0.0]))
    sd, _ = OCCLUDER_SHAPES["fence"].draw(x, y, (1.0, 1.0, 0.5, 1.0), 0.0)
    covered = (sd < 0.0).mean()
    assert 0.4 < covered < 0.65  # slats take 0.54 of the pitch
