import numpy as np

from vis_projects.data.synth.looks import Look
from vis_projects.data.synth.sprite import Sprite

LOOK = Look("plain", ((50.0, 0.0, 0.0), (80.0, 0.0, 0.0)), 3.0, 0.0, 0.0, 0)


def test_still_sprite_and_its_sizes():
    sprite = Sprite.still("ball", 1, (1.0,) * 4, 0.2, LOOK, (0.5, 0.4), 3)
    assert sprite.xy.tolist() == [[0.5, 0.4]] * 3 and sprite.length == 3
    assert sprite.half_extent == (0.2, 0.2)
    assert sprite.root_area == 0.2 * 1.77


def test_arrays_of_two_sprites_are_their_own():
    first, second = (Sprite.still("ball", 1, (1.0,) * 4, 0.2, LOOK, (0.5, 0.4), 3) for _ in range(2))
    first.scale[0] = 7.0
    assert second.scale[0] == 1.0 and first.gain[0] == 1.0


def test_claimed_and_dead_frames_are_not_free():
    sprite = Sprite.still("ball", 1, (1.0,) * 4, 0.2, LOOK, (0.5, 0.4), 6)
    sprite.claim(-2, 2, "cross")
    sprite.alive[5] = False
    assert sprite.busy.tolist() == [True, True, False, False, False, False]
    assert sprite.free(2, 5) and not sprite.free(1, 4) and not sprite.free(3, 6)
    assert not sprite.free(-1, 1) and not sprite.free(4, 7) and not sprite.free(3, 3)
    sprite.claim(3, 4, "cross")
    assert sprite.events == ["cross"]


def test_occluder_extent_follows_its_proportions():
    wall = Sprite.still("wall", 0, (0.5, 1.0, 0.25, 1.0), 0.4, LOOK, (0.5, 0.4), 1)
    assert np.allclose(wall.half_extent, (0.2, 0.4))
