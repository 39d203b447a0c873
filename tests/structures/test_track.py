"""Track: its length counts frames with a mask."""

from vis_projects.structures import Track


def test_length_counts_frames_with_a_mask():
    assert Track(0, 1, 0.5).length == 0
    rle = {"size": [1, 1], "counts": "01"}
    assert Track(0, 1, 0.5, {2: rle, 7: rle}).length == 2


def test_tracks_do_not_share_their_dicts():
    first, second = Track(0, 0, 1.0), Track(1, 0, 1.0)
    first.boxes[0] = (0, 0, 1, 1)
    assert second.boxes == {}
