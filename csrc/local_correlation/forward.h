// Forward pass, for kernel.simd.cpp alone (one copy per level).
//
// A tile is up to R rows of a that lie d apart, one vector of columns, one row of b that all of them see, and J
// neighbouring columns of shifts: R + J loads feed R * J sums. The channels come in chunks that fit the first cache;
// between chunks the sums wait in the output.
#pragma once

#include "pack.h"

namespace {

using vis::correlation::Epilogue;
using vis::correlation::ForwardArgs;

constexpr int64_t kChunk = 64;  // channels
constexpr int kRows = VIS_LEVEL >= 3 ? 4 : 3;
// from block to block of a packed tile; not a power of two, which would put all blocks into the same sets of a cache
template <class T>
constexpr int64_t kBlockStep = (kRows * kChunk + 4) * kLanes<T>;

// Most columns of shifts for a number of rows: the sums, J vectors of b and one of a stay in registers.
constexpr int most_shifts(int rows) {
  constexpr int sums = VIS_LEVEL >= 4 ? 24 : VIS_LEVEL >= 3 ? 12 : 9;
  constexpr int most = VIS_LEVEL >= 3 ? 12 : 8;
  return sums / rows < most ? sums / rows : most;
}
constexpr int kMostShifts = most_shifts(1);

template <class T>
struct Tile {
  const T* a;  // [channel of the chunk][row][lane]
  const T* b;  // first shift of the first channel
  int64_t b_stride, dilation, channels;
  T* out;  // first row, first shift
  int64_t row_step, shift_step;
  bool first, last;  // chunk
  Epilogue<T> epilogue;
};

template <class T, int R, int J>
void multiply(const Tile<T>& tile) {
  const int64_t dilation = tile.dilation, b_stride = tile.b_stride, channels = tile.channels;
  const int64_t row_step = tile.row_step, shift_step = tile.shift_step;
  T* out = tile.out;
  const T* a = tile.a;
  const T* b[(J + 2) / 3];  // a pointer for three shifts, which need one offset and its double
  Vec<T> sum[R][J];
#pragma GCC unroll 16
  for (int k = 0; k < (J + 2) / 3; ++k) b[k] = tile.b + 3 * k * dilation;
#pragma GCC unroll 16
  for (int r = 0; r < R; ++r)
#pragma GCC unroll 16
    for (int j = 0; j < J; ++j)
      sum[r][j] = tile.first ? Vec<T>{} : load<T>(out + r * row_step + j * shift_step);
  for (int64_t c = 0; c < channels; ++c) {
    Vec<T> shifted[J];
#pragma GCC unroll 16
    for (int j = 0; j < J; ++j) shifted[j] = load<T>(b[j / 3] + j % 3 * dilation);
#pragma GCC unroll 16
    for (int r = 0; r < R; ++r) {
      const Vec<T> x = load<T>(a + r * kLanes<T>);
#pragma GCC unroll 16
      for (int j = 0; j < J; ++j) sum[r][j] += x * shifted[j];
    }
    a += kRows * kLanes<T>;
#pragma GCC unroll 16
    for (int k = 0; k < (J + 2) / 3; ++k) b[k] += b_stride;
  }
  if (tile.last) {
    const Vec<T> scale = broadcast<T>(tile.epilogue.scale), slope = broadcast<T>(tile.epilogue.slope);
#pragma GCC unroll 16
    for (int r = 0; r < R; ++r)
#pragma GCC unroll 16
      for (int j = 0; j < J; ++j) {
        const Vec<T> value = sum[r][j] * scale;
        sum[r][j] = value > 0 ? value : value * slope;
      }
  }
#pragma GCC unroll 16
  for (int r = 0; r < R; ++r)
#pragma GCC unroll 16
    for (int j = 0; j < J; ++j) store<T>(out + r * row_step + j * shift_step, sum[r][j]);
}

template <class T>
struct MultiplyTable {
  void (*of[kRows][kMostShifts])(const Tile<T>&);
};

template <class T, int R, int J>
constexpr void fill_multiply(MultiplyTable<T>& table) {
  table.of[R - 1][J - 1] = multiply<T, R, J>;
  if constexpr (J > 1)
    fill_multiply<T, R, J - 1>(table);
  else if constexpr (R > 1)
    fill_multiply<T, R - 1, most_shifts(R - 1)>(table);
}

template <class T>
constexpr MultiplyTable<T> all_multiply() {
  MultiplyTable<T> table{};
  fill_multiply<T, kRows, most_shifts(kRows)>(table);
  return table;
}

template <class T>
constexpr MultiplyTable<T> kMultiply = all_multiply<T>();

// The outputs of one row whose shift leaves the map.
template <class T>
void clear_outside(const Sizes& z, const Layout<T>& layout, T* out, int64_t y) {
  for (int64_t i = -z.radius; i <= z.radius; ++i) {
    // i * dilation may not be formed for a far shift, so the radius decides first
    const bool row_inside = i >= -layout.row_radius && i <= layout.row_radius && y + i * z.dilation >= 0 &&
                            y + i * z.dilation < z.height;
    for (int64_t j = -z.radius; j <= z.radius; ++j) {
      if (row_inside && j >= -layout.column_radius && j <= layout.column_radius) continue;
      const int64_t shift = (z.radius + i) * z.patch() + z.radius + j;
      std::memset(out + shift * z.plane() + y * z.width, 0, sizeof(T) * z.width);
    }
  }
}

// Channels [c0, c1) of the rows of a tile, as [block][channel of the chunk][row][lane], 0 behind the width.
template <class T>
void pack_tile(const Sizes& z, const T* a, const RowTile& tile, int64_t c0, int64_t c1, T* to) {
  for (int64_t c = c0; c < c1; ++c)
    for (int64_t r = 0; r < tile.count; ++r) {
      const T* row = a + c * z.plane() + (tile.first + r * z.dilation) * z.width;
      T* block = to + ((c - c0) * kRows + r) * kLanes<T>;
      for (int64_t x = 0; x < z.width; x += kLanes<T>, block += kBlockStep<T>)
        store<T>(block, x + kLanes<T> <= z.width ? load<T>(row + x) : load_part<T>(row + x, z.width - x));
    }
}

// Where the sums of a block of columns are kept: in the output, or in working memory where a vector would be cut off at
// the end of a row: [i][j][row][lane].
template <class T>
struct Sums {
  T* data;  // first row of the tile, shift (-row_radius, -column_radius)
  int64_t row, row_shift, shift;  // steps
};

// Products of a block of columns of the rows [low, low + count) with one row of b, over one chunk of channels.
template <class T>
VIS_INLINE void multiply_block(const Layout<T>& layout, const T* b, T* out, int64_t count, Tile<T>& tile) {
  const int64_t groups = ceil_div(layout.column_shifts, most_shifts(count));
  for (int64_t group = 0; group < groups; ++group) {
    const int64_t j0 = layout.column_shifts * group / groups, j1 = layout.column_shifts * (group + 1) / groups;
    tile.b = b + j0 * tile.dilation;
    tile.out = out + j0 * tile.shift_step;
    kMultiply<T>.of[count - 1][j1 - j0 - 1](tile);
  }
}

// The part of a block that lies in the map, from working memory to the output.
template <class T>
void take_sums(const Sizes& z, const Layout<T>& layout, const RowTile& rows, const Sums<T>& from, const Sums<T>& to,
               int64_t width) {
  for (int64_t r = 0; r < rows.count; ++r)
    for (int64_t i = 0; i < layout.row_shifts; ++i) {
      const int64_t y = rows.first + (r + i - layout.row_radius) * z.dilation;
      if (y < 0 || y >= z.height) continue;
      for (int64_t j = 0; j < layout.column_shifts; ++j)
        std::memcpy(to.data + r * to.row + i * to.row_shift + j * to.shift,
                    from.data + r * from.row + i * from.row_shift + j * from.shift, sizeof(T) * width);
    }
}

// One tile of rows of one pair.
template <class T>
void forward_tile(const ForwardArgs<T>& args, const Layout<T>& layout, int64_t n, const RowTile& rows, T* packed,
                  T* cut_off) {
  const Sizes& z = args.sizes;
  const T* source = args.rows + n * z.height * z.channels * layout.stride;
  T* out = args.out + n * z.patch() * z.patch() * z.plane();
  for (int64_t r = 0; r < rows.count; ++r) clear_outside(z, layout, out, rows.first + r * z.dilation);
  const int64_t first_shift = (z.radius - layout.row_radius) * z.patch() + z.radius - layout.column_radius;
  Sums<T> whole{out + first_shift * z.plane() + rows.first * z.width, z.dilation * z.width, z.patch() * z.plane(),
                z.plane()};
  const Sums<T> partial{cut_off, kLanes<T>, layout.column_shifts * kRows * kLanes<T>, kRows * kLanes<T>};
  Tile<T> tile{};
  tile.b_stride = layout.stride;
  tile.dilation = z.dilation;
  tile.epilogue = args.epilogue;
  for (int64_t c0 = 0; c0 < z.channels; c0 += kChunk) {
    const int64_t c1 = smaller(c0 + kChunk, z.channels);
    pack_tile(z, args.a + n * z.channels * z.plane(), rows, c0, c1, packed);
    tile.channels = c1 - c0;
    tile.first = c0 == 0;
    tile.last = c1 == z.channels;
    for (int64_t t = -layout.row_radius; t < rows.count + layout.row_radius; ++t) {
      const int64_t y = rows.first + t * z.dilation;
      if (y < 0 || y >= z.height) continue;
      const int64_t low = larger(0, t - layout.row_radius), high = smaller(rows.count - 1, t + layout.row_radius);
      for (int64_t block = 0; block < layout.blocks; ++block) {
        const bool cut = (block + 1) * kLanes<T> > z.width;
        const Sums<T>& sums = cut ? partial : whole;
        tile.a = packed + block * kBlockStep<T> + low * kLanes<T>;
        tile.row_step = sums.row - sums.row_shift;  // one row down, the same row of b is one row of shifts nearer
        tile.shift_step = sums.shift;
        T* out = sums.data + low * sums.row + (t - low + layout.row_radius) * sums.row_shift +
                 (cut ? 0 : block * kLanes<T>);
        const T* b = source + (y * z.channels + c0) * layout.stride + block * kLanes<T>;
        multiply_block(layout, b, out, high - low + 1, tile);
      }
    }
  }
  whole.data += z.width / kLanes<T> * kLanes<T>;
  if (z.width % kLanes<T>) take_sums(z, layout, rows, partial, whole, z.width % kLanes<T>);
}

template <class T>
int64_t forward_jobs(const Sizes& z) { return z.count * RowTiling(z, kRows).total(); }

template <class T>
void forward(const ForwardArgs<T>& args, int64_t begin, int64_t end) {
  const Sizes& z = args.sizes;
  const Layout<T> layout(z);
  const RowTiling tiling(z, kRows);
  T* packed = static_cast<T*>(vis::scratch(sizeof(T) * layout.blocks * kBlockStep<T>, 0));
  const int64_t shifts = layout.row_shifts * layout.column_shifts;
  T* cut_off = static_cast<T*>(vis::scratch(sizeof(T) * shifts * kRows * kLanes<T>, 1));
  for (int64_t job = begin; job < end; ++job)
    forward_tile(args, layout, job / tiling.total(), tiling.tile(job % tiling.total()), packed, cut_off);
}

}  // namespace
