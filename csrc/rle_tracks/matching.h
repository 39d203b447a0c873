// Greedy matching within cells, and precision and recall over them; plain loops. No torch headers here.
//
// Letters: A area ranges, T IoU thresholds, R recall points, K categories, M detection cuts, D detections.
#pragma once

#include <cstdint>

#include "overlap.h"

namespace vis::tracks {

struct AreaRange {
  double low, high;
};

constexpr uint8_t kCrowd = 1;      // flag of an annotation: may be matched any number of times and never counts
constexpr uint8_t kUncounted = 2;  // a match with it counts as none

struct MatchArgs {
  const Cell* cells;
  const double *ious, *d_areas, *g_areas;  // overlaps of all cells; mean area of every track
  const uint8_t* g_flags;
  const double* thresholds;
  int64_t threshold_count;
  const AreaRange* ranges;
  int64_t range_count, d_count;
  bool *matched, *ignored;  // (A, T, D)
  int64_t* num_truth;       // (cells, A)
};

// Matches the detections of a cell, which come best score first.
void match_cell(const MatchArgs& args, int64_t cell);

struct CurveArgs {
  const bool *matched, *ignored;  // (A, T, D)
  const double* scores;           // (D,)
  const int64_t* order;           // detections, by category and then by descending score
  const int64_t* rank;            // (D,) place of a detection in its cell
  const int64_t* category_begin;  // (K + 1,) into order
  const int64_t* num_truth;       // (K, A)
  const int64_t* cuts;            // (M,)
  const double* points;           // (R,)
  int64_t d_count, threshold_count, point_count, range_count, cut_count;
  double *precision, *recall, *score_at;  // (K, A, M, T, R), (K, A, M, T), (K, A, M, T, R)
};

// Fills the curves of category k where it has ground truth in a range.
void accumulate_category(const CurveArgs& args, int64_t k);

}  // namespace vis::tracks
