// Gradient of one template from two planes, for kernel.simd.cpp alone (one copy per level).
//
// Entry (r, s) is the sum over output pixels of gradient(y, x) * plane(y + r, x + s). A block of entries keeps its sums
// in registers over the whole plane: up to kBlockRows template rows x the columns that fit. A loaded vector of the
// plane feeds all rows of the block, a loaded vector of the gradient all columns.
#pragma once

#include "common/vec.h"
#include "correlate.h"

namespace {

constexpr int kBlockRows = 3;
constexpr int kBlockColumns = 7;
// the registers that are left beside a block's sums hold its gradient rows and one vector of the plane
constexpr int kColumnsThatFit[kBlockRows] = {7, VIS_LEVEL >= 4 ? 7 : 6, VIS_LEVEL >= 4 ? 7 : 4};

// `gradient` has kBlockRows - 1 rows of zeros above and below, and zeros behind each row up to whole vectors.
template <class T>
struct GradientPair {
  const T* gradient;
  int64_t gradient_stride;
  const T* plane;
  int64_t plane_stride;
  int64_t height;   // of the gradient
  int64_t vectors;  // of one of its rows
};

// Entries of R template rows x S columns; the plane pointer is at the block's first entry.
template <class T, int R, int S>
void gradient_block(const GradientPair<T>& pair, T* to, int64_t to_stride) {
  Vec<T> sum[R][S] = {};
  for (int64_t y = 0; y < pair.height + R - 1; ++y) {
    const T* gradient = pair.gradient + y * pair.gradient_stride;
    const T* plane = pair.plane + y * pair.plane_stride;
    const T* end = plane + pair.vectors * kLanes<T>;
    for (; plane < end; plane += kLanes<T>, gradient += kLanes<T>) {
      Vec<T> g[R];
#pragma GCC unroll 4
      for (int r = 0; r < R; ++r) g[r] = load<T>(gradient - r * pair.gradient_stride);
#pragma GCC unroll 8
      for (int s = 0; s < S; ++s) {
        const Vec<T> x = load<T>(plane + s);
#pragma GCC unroll 4
        for (int r = 0; r < R; ++r) sum[r][s] += g[r] * x;
      }
    }
  }
  for (int r = 0; r < R; ++r)
    for (int s = 0; s < S; ++s) to[r * to_stride + s] = sum_lanes<T>(sum[r][s]);
}

template <class T>
struct BlockTable {
  typedef void (*Function)(const GradientPair<T>&, T*, int64_t);
  Function of[kBlockRows][kBlockColumns];
};

template <class T, int R, int S>
constexpr void fill_blocks(BlockTable<T>& table) {
  if constexpr (S <= kColumnsThatFit[R - 1]) table.of[R - 1][S - 1] = gradient_block<T, R, S>;
  if constexpr (S > 1)
    fill_blocks<T, R, S - 1>(table);
  else if constexpr (R > 1)
    fill_blocks<T, R - 1, kBlockColumns>(table);
}

template <class T>
constexpr BlockTable<T> all_blocks() {
  BlockTable<T> table{};
  fill_blocks<T, kBlockRows, kBlockColumns>(table);
  return table;
}

template <class T>
constexpr BlockTable<T> kBlocks = all_blocks<T>();

// All rows x columns entries into `to`.
template <class T>
void filter_gradient(const GradientPair<T>& pair, int64_t rows, int64_t columns, T* to) {
  for (int64_t r0 = 0; r0 < rows; r0 += kBlockRows) {
    const int64_t block_rows = at_most(rows - r0, kBlockRows);
    const int64_t parts = parts_of(columns, kColumnsThatFit[block_rows - 1]);
    for (int64_t j = 0; j < parts; ++j) {
      const int64_t s0 = columns * j / parts, s1 = columns * (j + 1) / parts;
      GradientPair<T> block = pair;
      block.plane = pair.plane + r0 * pair.plane_stride + s0;
      kBlocks<T>.of[block_rows - 1][s1 - s0 - 1](block, to + r0 * columns + s0, columns);
    }
  }
}

}  // namespace
