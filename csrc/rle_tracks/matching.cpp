// See matching.h.
#include "matching.h"

#include <algorithm>
#include <vector>

namespace vis::tracks {

void match_cell(const MatchArgs& args, int64_t cell_index) {
  const Cell& cell = args.cells[cell_index];
  const int64_t g_count = cell.g_end - cell.g_begin;
  std::vector<int64_t> order(g_count);
  std::vector<uint8_t> skip(g_count), taken(g_count);
  for (int64_t a = 0; a < args.range_count; ++a) {
    const AreaRange range = args.ranges[a];
    const auto outside = [&](double area) { return area < range.low || area > range.high; };
    int64_t counted = 0;
    for (int64_t g = 0; g < g_count; ++g) {
      skip[g] = (args.g_flags[cell.g_begin + g] & kCrowd) || outside(args.g_areas[cell.g_begin + g]);
      counted += !skip[g];
    }
    args.num_truth[cell_index * args.range_count + a] = counted;
    for (int64_t g = 0, front = 0, back = counted; g < g_count; ++g) order[skip[g] ? back++ : front++] = g;
    for (int64_t t = 0; t < args.threshold_count; ++t) {
      bool* matched = args.matched + (a * args.threshold_count + t) * args.d_count;
      bool* ignored = args.ignored + (a * args.threshold_count + t) * args.d_count;
      std::fill(taken.begin(), taken.end(), 0);
      for (int64_t d = cell.d_begin; d < cell.d_end; ++d) {
        const double* row = args.ious + cell.first_pair + (d - cell.d_begin) * g_count;
        double best = std::min(args.thresholds[t], 1 - 1e-10);
        int64_t found = -1;
        for (const int64_t g : order) {
          if (taken[g] && !(args.g_flags[cell.g_begin + g] & kCrowd)) continue;
          if (found >= 0 && !skip[found] && skip[g]) break;  // one that counts is preferred to any that does not
          if (row[g] >= best) best = row[g], found = g;
        }
        matched[d] = false, ignored[d] = false;
        if (found >= 0) {
          taken[found] = 1;
          matched[d] = !(args.g_flags[cell.g_begin + found] & kUncounted);
          ignored[d] = skip[found];
        }
        ignored[d] |= !matched[d] && outside(args.d_areas[d]);
      }
    }
  }
}

void accumulate_category(const CurveArgs& args, int64_t k) {
  std::vector<int64_t> kept;
  std::vector<double> recalls, envelope;
  const int64_t T = args.threshold_count, R = args.point_count, A = args.range_count, M = args.cut_count;
  for (int64_t m = 0; m < M; ++m) {
    kept.clear();
    for (int64_t i = args.category_begin[k]; i < args.category_begin[k + 1]; ++i) {
      if (args.rank[args.order[i]] < args.cuts[m]) kept.push_back(args.order[i]);
    }
    const int64_t found = static_cast<int64_t>(kept.size());
    recalls.resize(found);
    envelope.resize(found);
    for (int64_t a = 0; a < A; ++a) {
      const int64_t truths = args.num_truth[k * A + a];
      if (truths == 0) continue;
      for (int64_t t = 0; t < T; ++t) {
        const bool* matched = args.matched + (a * T + t) * args.d_count;
        const bool* ignored = args.ignored + (a * T + t) * args.d_count;
        double right = 0, wrong = 0;
        for (int64_t i = 0; i < found; ++i) {
          const int64_t d = kept[i];
          right += matched[d] && !ignored[d];
          wrong += !matched[d] && !ignored[d];
          recalls[i] = right / static_cast<double>(truths);
          const double all = wrong + right;
          envelope[i] = right / (all + 0x1p-52);  // keeps 0 / 0 at 0
        }
        for (int64_t i = found - 2; i >= 0; --i) envelope[i] = std::max(envelope[i], envelope[i + 1]);
        const int64_t curve = ((k * A + a) * M + m) * T + t;
        args.recall[curve] = found ? recalls[found - 1] : 0.0;
        for (int64_t r = 0; r < R; ++r) {
          const int64_t reached = std::lower_bound(recalls.begin(), recalls.end(), args.points[r]) - recalls.begin();
          args.precision[curve * R + r] = reached < found ? envelope[reached] : 0.0;
          args.score_at[curve * R + r] = reached < found ? args.scores[kept[reached]] : 0.0;
        }
      }
    }
  }
}

}  // namespace vis::tracks
