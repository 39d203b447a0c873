// Backward pass, for kernel.simd.cpp alone (one copy per level).
//
// The gradient of a is a sum over shifts of b at the place that was seen, times the gradient of the output; that of b
// is the same with the opposite shifts (pack_weights). So both are gathers: each place has one writer. A tile is two
// rows that lie d apart, one vector of columns and K channels: K loads of the source and two weights feed 2 K sums.
#pragma once

#include "pack.h"

namespace {

constexpr int64_t kBlockChannels = 48;  // of a job: their rows stay in the second cache
constexpr int kMostChannels = VIS_LEVEL >= 4 ? 12 : VIS_LEVEL >= 3 ? 6 : 4;

template <class T>
struct GatherTile {
  const T* source;  // first channel, row of the map 0, first shift
  int64_t row_step, channel_step, dilation;
  const T* weights[2];  // of each row: shift (-row_radius, first)
  int64_t first_row, rows, height;
  int64_t row_radius, column_shifts;
  T* result;  // first channel, first row, first column
  int64_t result_row, result_channel;
  int64_t width;  // columns to write, at most a vector
};

// Adds one row of the source to the sums of the rows [Low, High].
template <class T, int K, int Low, int High>
VIS_INLINE void add_row(const GatherTile<T>& tile, const T* row, const T* const* weights, Vec<T> (&sum)[2][K]) {
  const int64_t channel_step = tile.channel_step, dilation = tile.dilation;
  const T* w0 = weights[0];
  const T* w1 = weights[1];
  const T* at[(K + 2) / 3];  // a pointer for three channels, which need one offset and its double
#pragma GCC unroll 16
  for (int k = 0; k < (K + 2) / 3; ++k) at[k] = row + 3 * k * channel_step;
  for (int64_t j = 0; j < tile.column_shifts; ++j) {
    Vec<T> weight[2];
    if constexpr (Low == 0) weight[0] = load<T>(w0 + j * kLanes<T>);
    if constexpr (High == 1) weight[1] = load<T>(w1 + j * kLanes<T>);
#pragma GCC unroll 16
    for (int k = 0; k < K; ++k) {
      const Vec<T> value = load<T>(at[k / 3] + k % 3 * channel_step);
#pragma GCC unroll 2
      for (int r = Low; r <= High; ++r) sum[r][k] += weight[r] * value;
    }
#pragma GCC unroll 16
    for (int k = 0; k < (K + 2) / 3; ++k) at[k] += dilation;
  }
}

// Adds the rows of the source at first_row + t * dilation, t in [begin, end), to the sums of the rows [Low, High].
template <class T, int K, int Low, int High>
VIS_INLINE void add_rows(const GatherTile<T>& tile, int64_t begin, int64_t end, Vec<T> (&sum)[2][K]) {
  const int64_t step = tile.column_shifts * kLanes<T>;
  for (int64_t t = begin; t < end; ++t) {
    const int64_t y = tile.first_row + t * tile.dilation;
    if (y < 0 || y >= tile.height) continue;
    const int64_t i = t + tile.row_radius;  // row of shifts of the first row; the second is one behind
    const T* weights[2] = {tile.weights[0] + i * step, tile.weights[1] + (i - 1) * step};
    add_row<T, K, Low, High>(tile, tile.source + y * tile.row_step, weights, sum);
  }
}

template <class T, int K>
void gather(const GatherTile<T>& tile) {
  Vec<T> sum[2][K] = {};
  // what only the first row sees, what both see, what only the second sees
  const int64_t seen = tile.row_radius + 1, shared = tile.rows == 1 ? seen : 1 - tile.row_radius;
  add_rows<T, K, 0, 0>(tile, -tile.row_radius, shared, sum);
  add_rows<T, K, 0, 1>(tile, shared, seen, sum);
  add_rows<T, K, 1, 1>(tile, seen, tile.rows + tile.row_radius, sum);
#pragma GCC unroll 2
  for (int r = 0; r < 2; ++r) {
    if (r >= tile.rows) break;
#pragma GCC unroll 16
    for (int k = 0; k < K; ++k) {
      T* to = tile.result + r * tile.result_row + k * tile.result_channel;
      if (tile.width == kLanes<T>)
        store<T>(to, sum[r][k]);
      else
        store_part<T>(to, sum[r][k], tile.width);
    }
  }
}

template <class T>
struct GatherTable {
  void (*of[kMostChannels])(const GatherTile<T>&);
};

template <class T, int K>
constexpr void fill_gather(GatherTable<T>& table) {
  table.of[K - 1] = gather<T, K>;
  if constexpr (K > 1) fill_gather<T, K - 1>(table);
}

template <class T>
constexpr GatherTable<T> all_gather() {
  GatherTable<T> table{};
  fill_gather<T, kMostChannels>(table);
  return table;
}

template <class T>
constexpr GatherTable<T> kGather = all_gather<T>();

// A job is one tile of rows and one block of channels of one pair; tiles of a block follow each other.
template <class T>
int64_t backward_jobs(const Sizes& z) {
  return z.count * ceil_div(z.channels, kBlockChannels) * RowTiling(z, 2).total();
}

template <class T>
void backward(const BackwardArgs<T>& args, int64_t begin, int64_t end) {
  const Sizes& z = args.sizes;
  const Layout<T> layout(z);
  const RowTiling tiling(z, 2);
  const int64_t parts = ceil_div(z.channels, kBlockChannels), shifts = layout.row_shifts * layout.column_shifts;
  for (int64_t job = begin; job < end; ++job) {
    const int64_t n = job / tiling.total() / parts, part = job / tiling.total() % parts;
    const RowTile rows = tiling.tile(job % tiling.total());
    const int64_t c_end = smaller((part + 1) * kBlockChannels, z.channels);
    GatherTile<T> tile{};
    tile.row_step = z.channels * layout.stride;
    tile.channel_step = layout.stride;
    tile.dilation = z.dilation;
    tile.first_row = rows.first;
    tile.rows = rows.count;
    tile.height = z.height;
    tile.row_radius = layout.row_radius;
    tile.column_shifts = layout.column_shifts;
    tile.result_row = z.dilation * z.width;
    tile.result_channel = z.plane();
    for (int64_t block = 0; block < layout.blocks; ++block) {
      const int64_t x = block * kLanes<T>;
      tile.width = smaller(kLanes<T>, z.width - x);
      for (int64_t r = 0; r < 2; ++r) {
        const int64_t y = rows.first + smaller(r, rows.count - 1) * z.dilation;
        tile.weights[r] = args.weights + ((n * z.height + y) * layout.blocks + block) * shifts * kLanes<T>;
      }
      for (int64_t c = part * kBlockChannels; c < c_end; c += kMostChannels) {
        tile.source = args.rows + (n * z.height * z.channels + c) * layout.stride + x;
        tile.result = args.result + ((n * z.channels + c) * z.height + rows.first) * z.width + x;
        kGather<T>.of[smaller(kMostChannels, c_end - c) - 1](tile);
      }
    }
  }
}

}  // namespace
