// CPU registration of the ops behind the evaluation of tracks, on torch's stable ABI.
#include <torch/csrc/stable/library.h>
#include <torch/csrc/stable/ops.h>
#include <torch/csrc/stable/tensor.h>

#include <atomic>
#include <cstring>
#include <tuple>
#include <vector>

#include "json.h"

#include "matching.h"
#include "overlap.h"
#include "rle/tables.h"
#include "scan.h"

namespace {

using torch::headeronly::ScalarType;
using torch::stable::Tensor;

// Rows of int64 columns as a tensor.
template <class Row>
Tensor table_of(const Tensor& like, const std::vector<Row>& rows) {
  static_assert(sizeof(Row) % sizeof(int64_t) == 0);
  const int64_t columns = sizeof(Row) / sizeof(int64_t);
  Tensor out = torch::stable::new_empty(like, {static_cast<int64_t>(rows.size()), columns}, ScalarType::Long);
  if (!rows.empty()) std::memcpy(out.mutable_data_ptr(), rows.data(), rows.size() * sizeof(Row));
  return out;
}

Tensor numbers_of(const Tensor& like, const std::vector<double>& values) {
  Tensor out = torch::stable::new_empty(like, {static_cast<int64_t>(values.size())}, ScalarType::Double);
  if (!values.empty()) std::memcpy(out.mutable_data_ptr(), values.data(), values.size() * sizeof(double));
  return out;
}

void check_json(const Tensor& json, const char* op) {
  STD_TORCH_CHECK(json.scalar_type() == ScalarType::Byte && json.dim() == 1 && json.is_contiguous(), op,
                  ": json must be contiguous uint8 (bytes,)");
}

std::tuple<int64_t, Tensor, Tensor, Tensor, Tensor, Tensor> scan_truth(const Tensor& json) {
  check_json(json, "ytvis_scan_truth");
  vis::tracks::Truth truth;
  int64_t stopped = -1;
  try {
    truth = vis::tracks::scan_truth(json.const_data_ptr<uint8_t>(), json.size(0));
  } catch (const vis::json::Irregular& irregular) {
    stopped = irregular.position;
  }
  return {stopped,
          table_of(json, truth.videos),
          table_of(json, truth.categories),
          table_of(json, truth.tracks),
          numbers_of(json, truth.mean_areas),
          table_of(json, truth.masks)};
}

std::tuple<int64_t, Tensor, Tensor, Tensor> scan_results(const Tensor& json) {
  check_json(json, "ytvis_scan_results");
  vis::tracks::Results results;
  int64_t stopped = -1;
  try {
    results = vis::tracks::scan_results(json.const_data_ptr<uint8_t>(), json.size(0));
  } catch (const vis::json::Irregular& irregular) {
    stopped = irregular.position;
  }
  return {stopped, table_of(json, results.tracks), numbers_of(json, results.scores), table_of(json, results.masks)};
}

// A checked, contiguous tensor whose memory is read as rows.
template <class Row>
struct Rows {
  Tensor tensor;
  const Row* data;
  int64_t count;

  Rows(const Tensor& given, ScalarType type, const char* what) : tensor(torch::stable::contiguous(given)) {
    STD_TORCH_CHECK(given.scalar_type() == type, what, " is of another dtype than expected");
    const int64_t columns = sizeof(Row) / given.element_size();
    STD_TORCH_CHECK(columns == 1 ? given.dim() == 1 : given.dim() == 2 && given.size(1) == columns, what,
                    " needs ", columns, " columns");
    data = reinterpret_cast<const Row*>(tensor.const_data_ptr());
    count = given.size(0);
  }
};

using Cells = Rows<vis::tracks::Cell>;

// Overlaps of all cells; every range is within bounds and overlaps follow one another.
int64_t checked_pairs(const Cells& cells, int64_t d_count, int64_t g_count) {
  int64_t pairs = 0;
  for (int64_t k = 0; k < cells.count; ++k) {
    const vis::tracks::Cell& cell = cells.data[k];
    STD_TORCH_CHECK(0 <= cell.d_begin && cell.d_begin <= cell.d_end && cell.d_end <= d_count && 0 <= cell.g_begin &&
                        cell.g_begin <= cell.g_end && cell.g_end <= g_count && cell.first_pair == pairs,
                    "cells: row ", k, " is out of bounds or does not begin where the one before ends");
    pairs += (cell.d_end - cell.d_begin) * (cell.g_end - cell.g_begin);
  }
  return pairs;
}

std::tuple<bool, Tensor, Tensor, Tensor> track_overlaps(const Tensor& d_buffer, const Tensor& d_masks,
                                                        const Tensor& d_tracks, const Tensor& g_buffer,
                                                        const Tensor& g_masks, const Tensor& g_tracks,
                                                        const Tensor& cells_) {
  using vis::tracks::TrackArea;
  const vis::rle::MaskTable d_table(d_buffer, d_masks, "track_overlaps"), g_table(g_buffer, g_masks, "track_overlaps");
  const Rows<vis::tracks::TrackRow> d_rows(d_tracks, ScalarType::Long, "track_overlaps: d_tracks");
  const Rows<vis::tracks::TrackRow> g_rows(g_tracks, ScalarType::Long, "track_overlaps: g_tracks");
  const Cells cells(cells_, ScalarType::Long, "track_overlaps: cells");
  const int64_t pairs = checked_pairs(cells, d_rows.count, g_rows.count);
  const vis::tracks::Side detections{d_table.buffer, d_table.buffer_size, d_table.rows,
                                     d_table.count,  d_rows.data,         d_rows.count};
  const vis::tracks::Side truths{g_table.buffer, g_table.buffer_size, g_table.rows,
                                 g_table.count,  g_rows.data,         g_rows.count};
  Tensor ious = torch::stable::new_zeros(cells_, {pairs}, ScalarType::Double);
  Tensor d_areas = torch::stable::new_zeros(cells_, {d_rows.count, 2}, ScalarType::Long);
  Tensor g_areas = torch::stable::new_zeros(cells_, {g_rows.count, 2}, ScalarType::Long);
  double* iou = ious.mutable_data_ptr<double>();
  TrackArea* d_area = reinterpret_cast<TrackArea*>(d_areas.mutable_data_ptr());
  TrackArea* g_area = reinterpret_cast<TrackArea*>(g_areas.mutable_data_ptr());
  // cells differ much in size, so each thread takes the next one when it is done
  std::atomic<int64_t> next{0};
  std::atomic<bool> in_order{true};
  torch::stable::parallel_for(0, torch::stable::get_num_threads(), 1, [&](int64_t, int64_t) {
    vis::tracks::CellWorker worker(detections, truths);
    for (int64_t k = next++; k < cells.count && in_order; k = next++) {
      if (!worker.run(cells.data[k], iou, d_area, g_area)) in_order = false;
    }
  });
  return {in_order.load(), ious, d_areas, g_areas};
}

std::tuple<Tensor, Tensor, Tensor> match_tracks(const Tensor& ious_, const Tensor& cells_, const Tensor& d_areas_,
                                                const Tensor& g_areas_, const Tensor& g_flags_,
                                                const Tensor& thresholds_, const Tensor& ranges_) {
  const Rows<double> ious(ious_, ScalarType::Double, "match_tracks: ious");
  const Rows<double> d_areas(d_areas_, ScalarType::Double, "match_tracks: d_areas");
  const Rows<double> g_areas(g_areas_, ScalarType::Double, "match_tracks: g_areas");
  const Rows<double> thresholds(thresholds_, ScalarType::Double, "match_tracks: thresholds");
  const Rows<uint8_t> flags(g_flags_, ScalarType::Byte, "match_tracks: g_flags");
  const Rows<vis::tracks::AreaRange> ranges(ranges_, ScalarType::Double, "match_tracks: ranges");
  const Cells cells(cells_, ScalarType::Long, "match_tracks: cells");
  STD_TORCH_CHECK(flags.count == g_areas.count, "match_tracks: g_flags and g_areas differ in length");
  STD_TORCH_CHECK(checked_pairs(cells, d_areas.count, g_areas.count) == ious.count,
                  "match_tracks: ious and cells differ in the number of pairs");
  const int64_t A = ranges.count, T = thresholds.count, D = d_areas.count;
  Tensor matched = torch::stable::new_zeros(cells_, {A, T, D}, ScalarType::Bool);
  Tensor ignored = torch::stable::new_zeros(cells_, {A, T, D}, ScalarType::Bool);
  Tensor num_truth = torch::stable::new_zeros(cells_, {cells.count, A}, ScalarType::Long);
  const vis::tracks::MatchArgs args{cells.data,
                                    ious.data,
                                    d_areas.data,
                                    g_areas.data,
                                    flags.data,
                                    thresholds.data,
                                    T,
                                    ranges.data,
                                    A,
                                    D,
                                    static_cast<bool*>(matched.mutable_data_ptr()),
                                    static_cast<bool*>(ignored.mutable_data_ptr()),
                                    num_truth.mutable_data_ptr<int64_t>()};
  torch::stable::parallel_for(0, cells.count, 16, [&](int64_t begin, int64_t end) {
    for (int64_t k = begin; k < end; ++k) vis::tracks::match_cell(args, k);
  });
  return {matched, ignored, num_truth};
}

std::tuple<Tensor, Tensor, Tensor> accumulate_tracks(const Tensor& matched_, const Tensor& ignored_,
                                                     const Tensor& scores_, const Tensor& order_, const Tensor& rank_,
                                                     const Tensor& category_begin_, const Tensor& num_truth_,
                                                     const Tensor& cuts_, const Tensor& points_) {
  STD_TORCH_CHECK(matched_.dim() == 3 && ignored_.dim() == 3 && matched_.scalar_type() == ScalarType::Bool &&
                      ignored_.scalar_type() == ScalarType::Bool && matched_.is_contiguous() &&
                      ignored_.is_contiguous() && matched_.numel() == ignored_.numel(),
                  "accumulate_tracks: matched and ignored must be contiguous bool (A, T, D)");
  const int64_t A = matched_.size(0), T = matched_.size(1), D = matched_.size(2);
  const Rows<double> scores(scores_, ScalarType::Double, "accumulate_tracks: scores");
  const Rows<double> points(points_, ScalarType::Double, "accumulate_tracks: points");
  const Rows<int64_t> order(order_, ScalarType::Long, "accumulate_tracks: order");
  const Rows<int64_t> rank(rank_, ScalarType::Long, "accumulate_tracks: rank");
  const Rows<int64_t> category_begin(category_begin_, ScalarType::Long, "accumulate_tracks: category_begin");
  const Rows<int64_t> cuts(cuts_, ScalarType::Long, "accumulate_tracks: cuts");
  const Tensor num_truth = torch::stable::contiguous(num_truth_);
  const int64_t K = category_begin.count - 1, R = points.count, M = cuts.count;
  STD_TORCH_CHECK(K >= 0 && num_truth.dim() == 2 && num_truth.size(0) == K && num_truth.size(1) == A &&
                      num_truth.scalar_type() == ScalarType::Long && scores.count == D && rank.count == D,
                  "accumulate_tracks: num_truth must be int64 (K, A), scores and rank (D,)");
  for (int64_t k = 0; k < K; ++k) {
    STD_TORCH_CHECK(0 <= category_begin.data[k] && category_begin.data[k] <= category_begin.data[k + 1] &&
                        category_begin.data[k + 1] <= order.count,
                    "accumulate_tracks: category_begin is out of bounds");
  }
  for (int64_t k = 0; k < order.count; ++k) {
    STD_TORCH_CHECK(0 <= order.data[k] && order.data[k] < D, "accumulate_tracks: order is out of bounds");
  }
  Tensor precision = torch::stable::new_empty(scores_, {K, A, M, T, R}, ScalarType::Double);
  Tensor score_at = torch::stable::new_empty(scores_, {K, A, M, T, R}, ScalarType::Double);
  Tensor recall = torch::stable::new_empty(scores_, {K, A, M, T}, ScalarType::Double);
  for (Tensor* tensor : {&precision, &score_at, &recall}) torch::stable::fill_(*tensor, -1.0);
  const vis::tracks::CurveArgs args{static_cast<const bool*>(matched_.const_data_ptr()),
                                    static_cast<const bool*>(ignored_.const_data_ptr()),
                                    scores.data,
                                    order.data,
                                    rank.data,
                                    category_begin.data,
                                    num_truth.const_data_ptr<int64_t>(),
                                    cuts.data,
                                    points.data,
                                    D,
                                    T,
                                    R,
                                    A,
                                    M,
                                    precision.mutable_data_ptr<double>(),
                                    recall.mutable_data_ptr<double>(),
                                    score_at.mutable_data_ptr<double>()};
  torch::stable::parallel_for(0, K, 1, [&](int64_t begin, int64_t end) {
    for (int64_t k = begin; k < end; ++k) vis::tracks::accumulate_category(args, k);
  });
  return {precision, recall, score_at};
}

}  // namespace

STABLE_TORCH_LIBRARY_IMPL(vis_projects, CPU, m) {
  m.impl("ytvis_scan_truth", TORCH_BOX(&scan_truth));
  m.impl("ytvis_scan_results", TORCH_BOX(&scan_results));
  m.impl("track_overlaps", TORCH_BOX(&track_overlaps));
  m.impl("match_tracks", TORCH_BOX(&match_tracks));
  m.impl("accumulate_tracks", TORCH_BOX(&accumulate_tracks));
}
