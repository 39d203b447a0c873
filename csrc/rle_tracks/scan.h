// Reads YouTube-VIS json in its plain form into tables; throws json::Irregular for all else. No torch headers here.
#pragma once

#include <cstdint>
#include <vector>

#include "rle/masks.h"

namespace vis::tracks {

struct VideoRow {
  int64_t id, height, width, length;
};

// `name_begin` to `name_end` is the json token of the name; both -1: there is none.
struct CategoryRow {
  int64_t id, name_begin, name_end;
};

// One annotation. Its masks are rows first_mask to first_mask + frames of the mask table.
struct TruthRow {
  int64_t id, video, category, crowd, first_mask, frames;
};

struct Truth {
  std::vector<VideoRow> videos;
  std::vector<CategoryRow> categories;
  std::vector<TruthRow> tracks;
  std::vector<double> mean_areas;  // of the field `areas`, nan without it
  std::vector<rle::MaskRow> masks;
};

struct ResultRow {
  int64_t video, category, first_mask, frames;
};

struct Results {
  std::vector<ResultRow> tracks;
  std::vector<double> scores;
  std::vector<rle::MaskRow> masks;
};

// The runs of masks are not looked at: only rle::MaskReader tells whether they are in order.
Truth scan_truth(const uint8_t* data, int64_t size);
Results scan_results(const uint8_t* data, int64_t size);

}  // namespace vis::tracks
