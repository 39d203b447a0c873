import numpy as np
import pytest

from tests.visualization.scenes import frame, results
from vis_projects.structures import VideoResults
from vis_projects.visualization import contact_sheet
from vis_projects.visualization.contact_sheet import GAP_PIXELS

EMPTY = VideoResults(1, 40, 60, 4)


def test_no_frames():
    sheet = contact_sheet([], None, VideoResults(1, 40, 60, 0), tile_width=50)
    assert sheet.shape == (GAP_PIXELS, 50, 3)


@pytest.mark.parametrize("kind", [list, iter])
def test_rows_and_columns(kind):
    # frames 0 and 2 of four; tiles of 60 x 40, a gap between
    sheet = contact_sheet(kind([frame()] * 4), EMPTY, results((5, 5, 20, 20)), every=2, tile_width=60)
    assert sheet.shape == (2 * 40 + GAP_PIXELS, 2 * 60 + GAP_PIXELS, 3) and sheet.dtype == np.uint8
    assert (sheet[8:20, 5:20] == 100).all(), "ground truth without objects on the left"
    assert (sheet[8:20, 64 + 5 : 64 + 20] != 100).any(), "prediction on the right"


def test_one_column_without_ground_truth():
    sheet = contact_sheet([frame()] * 4, None, EMPTY, tile_width=30, max_rows=4)
    assert sheet.shape == (4 * 20 + 3 * GAP_PIXELS, 30, 3)


def test_few_frames_of_a_long_video_are_read():
    class Frames(list):
        read = []

        def __getitem__(self, t):
            self.read.append(t)
            return frame()

    contact_sheet(Frames(range(100)), None, VideoResults(1, 40, 60, 100), max_rows=4, also=[30, 25])
    assert Frames.read == [0, 25, 30, 50, 75]
    stream = iter([frame()] * 100)
    contact_sheet(stream, None, VideoResults(1, 40, 60, 100), max_rows=4)
    assert len(list(stream)) == 24, "the stream is read up to frame 75"


def test_tracks_below_the_threshold_are_left_out():
    weak = contact_sheet([frame()], None, results((5, 5, 20, 20), score=0.2, length=1), score_threshold=0.3)
    nothing = contact_sheet([frame()], None, VideoResults(1, 40, 60, 1))
    np.testing.assert_array_equal(weak, nothing)


def test_marks_and_titles_change_their_column_alone():
    truth, found = results((5, 5, 20, 20), length=1), results((30, 5, 50, 20), length=1)
    plain = contact_sheet([frame()], truth, found, tile_width=60)
    marked = contact_sheet([frame()], truth, found, tile_width=60, marks=[({0: "missed"}, {})])
    assert (marked[:, :60] != plain[:, :60]).any() and (marked[:, 60:] == plain[:, 60:]).all()
    titled = contact_sheet([frame()], truth, found, tile_width=60, titles=("ground truth", "other"))
    assert (titled[:, :60] == plain[:, :60]).all() and (titled[:, 60:] != plain[:, 60:]).any()
