import numpy as np
import pytest

from vis_projects.data.synth import SceneOptions, SynthVIS
from vis_projects.data.synth.looks import Look
from vis_projects.data.synth.masks import draw_patch, rasterise
from vis_projects.data.synth.sprite import Sprite

LOOK = Look("plain", ((50.0, 0.0, 0.0), (80.0, 0.0, 0.0)), 3.0, 0.0, 0.0, 0)


def wall(centre, half_width, half_height, **changes):
    size = max(half_width, half_height)
    return Sprite.still("wall", 0, (half_width / size, half_height / size, 0.25, 1.0), size, LOOK, centre, 1, **changes)


def test_a_block_covers_the_pixels_whose_centres_it_holds():
    # Frame 3 high, 4 wide; block [1/3, 1] x [0, 2/3] in frame heights: columns 1-2, rows 0-1.
    patch = draw_patch(wall((2 / 3, 1 / 3), 1 / 3, 1 / 3), 0, 0, 4, 3)
    covered = np.zeros((3, 4), dtype=int)
    covered[patch.rows, patch.columns][patch.distance < 0] = 1
    assert covered.tolist() == [[0, 1, 1, 0], [0, 1, 1, 0], [0, 0, 0, 0]]
    assert patch.amodal == 4


def test_amodal_counts_what_is_outside_the_frame():
    # Half-width 1 around x = 0: of six columns, three lie left of the frame.
    patch = draw_patch(wall((0.0, 0.5), 1.0, 0.5), 0, 0, 4, 3)
    assert patch.amodal == 6 * 3 and (patch.distance < 0).sum() == 3 * 3


def test_out_of_the_frame_or_not_alive_there_is_no_patch():
    assert draw_patch(wall((-9.0, 0.5), 0.5, 0.5), 0, 0, 4, 3) is None
    assert draw_patch(wall((0.5, 0.5), 0.5, 0.5, alive=np.array([False])), 0, 0, 4, 3) is None


@pytest.mark.parametrize("depths,owner", [((0.2, 0.8), 2), ((0.8, 0.2), 1)])
def test_the_nearer_sprite_owns_the_pixel(depths, owner):
    scene = SynthVIS("tiny", "val", options=SceneOptions(num_objects=0, length=1, events={})).scene(0)
    scene.props.clear()
    scene.tracks.extend(wall((0.5, 0.5), 0.2, 0.2, depth=np.array([depth])) for depth in depths)
    masks = rasterise(scene, 0)
    assert set(np.unique(masks.owner)) == {0, owner}
    assert masks.amodal.tolist() == [patch.amodal for patch in masks.patches]
    assert [patch.number for patch in masks.patches] == np.argsort(depths).tolist()
