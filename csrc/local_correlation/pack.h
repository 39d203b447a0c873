// Layouts that the kernels of kernel.simd.cpp read (one copy per level).
//
// rows:    [n][y][c][stride], a map with `border` zeros left and right of each row, so that every shift of a vector of
//          places is a plain load. A row holds all channels: the sums over channels walk through neighbouring memory.
// weights: [n][y][block of lanes][i][j][lane], the gradient of the output with the epilogue's factors, for the shifts
//          that stay in the map.
#pragma once

#include "common/vec.h"
#include "kernel.h"

namespace {

using vis::correlation::BackwardArgs;
using vis::correlation::RowTile;
using vis::correlation::RowTiling;
using vis::correlation::Sizes;

constexpr int64_t kPackChannels = 16;  // channels that a job copies side by side

VIS_INLINE int64_t ceil_div(int64_t a, int64_t b) { return (a + b - 1) / b; }
VIS_INLINE int64_t smaller(int64_t a, int64_t b) { return a < b ? a : b; }
VIS_INLINE int64_t larger(int64_t a, int64_t b) { return a > b ? a : b; }

template <class T>
struct Layout {
  int64_t row_radius, column_radius, row_shifts, column_shifts;
  int64_t blocks;  // vectors of a row
  int64_t border, stride;

  explicit Layout(const Sizes& z)
      : row_radius(z.row_radius()), column_radius(z.column_radius()), row_shifts(2 * row_radius + 1),
        column_shifts(2 * column_radius + 1), blocks(ceil_div(z.width, kLanes<T>)), border(column_radius * z.dilation) {
    stride = blocks * kLanes<T> + 2 * border;
    // rows whose distance is a multiple of 1 KB would push each other out of the first cache
    if (stride * static_cast<int64_t>(sizeof(T)) % 1024 == 0) stride += kLanes<T>;
  }
};

template <class T>
int64_t packed_row(const Sizes& z) { return z.channels * Layout<T>(z).stride; }

template <class T>
int64_t packed_weights(const Sizes& z) {
  const Layout<T> layout(z);
  return layout.blocks * layout.row_shifts * layout.column_shifts * kLanes<T>;
}

template <class T>
int64_t pack_jobs(const Sizes& z) { return z.count * ceil_div(z.channels, kPackChannels); }

template <class T>
void pack(const Sizes& z, const T* map, T* rows, int64_t begin, int64_t end) {
  const Layout<T> layout(z);
  const int64_t parts = ceil_div(z.channels, kPackChannels), behind = layout.stride - layout.border - z.width;
  for (int64_t job = begin; job < end; ++job) {
    const int64_t n = job / parts, c0 = job % parts * kPackChannels, c1 = smaller(c0 + kPackChannels, z.channels);
    for (int64_t y = 0; y < z.height; ++y)
      for (int64_t c = c0; c < c1; ++c) {
        T* to = rows + ((n * z.height + y) * z.channels + c) * layout.stride;
        std::memset(to, 0, sizeof(T) * layout.border);
        std::memcpy(to + layout.border, map + ((n * z.channels + c) * z.height + y) * z.width, sizeof(T) * z.width);
        std::memset(to + layout.border + z.width, 0, sizeof(T) * behind);
      }
  }
}

// One row of the gradient for one shift, beginning with column `from`: the epilogue applied, 0 outside of the map. `to`
// steps from block to block.
template <class T>
void weigh(const BackwardArgs<T>& args, int64_t row, int64_t from, T* to, int64_t block_step) {
  const int64_t width = args.sizes.width;
  const T scale = args.epilogue.scale, negative = args.epilogue.scale * args.epilogue.slope;
  const T* grad = args.grad + row;
  const T* out = args.out ? args.out + row : nullptr;
  for (int64_t x = from; x < from + width; x += kLanes<T>, to += block_step) {
    if (x >= 0 && x + kLanes<T> <= width) {
      Vec<T> factor = broadcast<T>(scale);
      if (out) factor = load<T>(out + x) > 0 ? factor : broadcast<T>(negative);
      store<T>(to, load<T>(grad + x) * factor);
    } else {
      for (int64_t lane = 0; lane < kLanes<T>; ++lane) {
        const int64_t at = x + lane;
        to[lane] = at < 0 || at >= width ? T(0) : grad[at] * (out == nullptr || out[at] > 0 ? scale : negative);
      }
    }
  }
}

// Mirrored: what a place of b gets through shift (i, j) comes from the opposite shift of the place that sees it.
template <class T>
void pack_weights(const BackwardArgs<T>& args, int64_t begin, int64_t end) {
  const Sizes& z = args.sizes;
  const Layout<T> layout(z);
  const int64_t shifts = layout.row_shifts * layout.column_shifts, patch = z.patch();
  for (int64_t job = begin; job < end; ++job) {
    const int64_t n = job / z.height, y = job % z.height;
    T* to = args.weights + job * layout.blocks * shifts * kLanes<T>;
    for (int64_t i = -layout.row_radius; i <= layout.row_radius; ++i)
      for (int64_t j = -layout.column_radius; j <= layout.column_radius; ++j, to += kLanes<T>) {
        const int64_t down = args.mirrored ? i * z.dilation : 0, right = args.mirrored ? j * z.dilation : 0;
        if (y + down < 0 || y + down >= z.height) continue;  // nothing reads these
        const int64_t sign = args.mirrored ? -1 : 1;
        const int64_t shift = (z.radius + sign * i) * patch + z.radius + sign * j;
        const int64_t row = ((n * patch * patch + shift) * z.height + y + down) * z.width;
        weigh(args, row, right, to, shifts * kLanes<T>);
      }
  }
}

}  // namespace
