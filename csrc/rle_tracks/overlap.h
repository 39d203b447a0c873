// Intersection over union of whole tracks, from run ends. No torch headers here.
//
// A cell is what is compared with one another: the detections and the annotations of one video and category. Its masks
// are read frame by frame, so that only those of one frame are held decoded.
#pragma once

#include <cstdint>
#include <vector>

#include "rle/masks.h"

namespace vis::tracks {

struct TrackRow {
  int64_t first_mask, frames;
};

// Tracks of one side; rows are checked when they are used.
struct Side {
  const uint8_t* buffer;
  int64_t buffer_size;
  const rle::MaskRow* masks;
  int64_t mask_count;
  const TrackRow* tracks;
  int64_t track_count;
};

// Ranges of tracks, and where the cell's (detections, annotations) overlaps begin.
struct Cell {
  int64_t d_begin, d_end, g_begin, g_end, first_pair;
};

// Pixels of a track, over all its frames, and the number of frames with any.
struct TrackArea {
  int64_t pixels, frames;
};

// Works through cells; keeps working memory, so one worker serves one thread.
class CellWorker {
 public:
  CellWorker(const Side& detections, const Side& truths);

  // Fills the overlaps and areas of a cell. False where a mask is broken or has an empty run behind its first one:
  // pycocotools stops early where two masks have one at the same place, so such masks are left to it.
  bool run(const Cell& cell, double* ious, TrackArea* d_areas, TrackArea* g_areas);

 private:
  // What is kept per track of the cell.
  struct Track {
    TrackRow row;
    std::vector<int64_t> areas_before;  // [t]: pixels in the frames before t
  };

  static bool start(const Side& side, int64_t begin, int64_t end, std::vector<Track>& tracks, int64_t& frames);
  static bool enter(rle::MaskReader& reader, const rle::MaskRow& row, rle::Mask& mask, int64_t& area);
  bool run_frame(int64_t t, int64_t d_count, int64_t g_count);

  const Side &detections_, &truths_;
  rle::MaskReader d_reader_, g_reader_;
  const rle::Kernels& kernels_;
  std::vector<Track> d_tracks_, g_tracks_;
  std::vector<rle::Mask> g_masks_;
  std::vector<int64_t> g_areas_;
  rle::Mask d_mask_;
  std::vector<int64_t> common_, excluded_;  // per pair
};

}  // namespace vis::tracks
