// Forward pass of the attention, for kernel.simd.cpp alone (one copy per level).
//
// Queries lie in the lanes: channel-first maps are then the packed operand of keys x queries, and largest logit,
// exponential and sum of a query stay within its lane. A stretch of query columns keeps its running state while blocks
// of keys and values, copied once for all of these columns, pass by.
#pragma once

#include <math.h>

#include "common/scratch.h"
#include "pixels.h"
#include "product.h"

namespace vis::attention {

namespace {

constexpr int64_t kStateBytes = 256 << 10;  // queries, sums and statistics of a stretch of columns: half of a small L2
constexpr int64_t kBlockBytes = 104 << 10;  // keys and values of a block, which share the L2 with them
constexpr int64_t kMaxBlock = 208, kMinBlock = 48;

template <class T>
constexpr int64_t kColumn = kTileVectors * kLanes<T>;

// keys of a block: an odd number of cache lines in a row, so that the channels spread over the cache
template <class T>
VIS_INLINE int64_t forward_block(const Sizes& z) {
  const int64_t fit = kBlockBytes / static_cast<int64_t>(sizeof(T)) / (z.channels + z.value_channels);
  return (at_least(at_most(fit, kMaxBlock), kMinBlock) - 16) / 32 * 32 + 16;
}

// Working memory of one query column. Logits are to base 2: the queries were scaled by log2(e).
template <class T>
struct Column {
  T* query;  // (d, kColumn)
  T* sum;    // (dv, kColumn) of weights times values
  T* peak;   // (kColumn) largest logit so far
  T* total;  // (kColumn) sum of weights so far

  static int64_t size(const Sizes& z) { return (z.channels + z.value_channels + 2) * kColumn<T>; }
  Column(const Sizes& z, T* at)
      : query(at), sum(at + z.channels * kColumn<T>), peak(sum + z.value_channels * kColumn<T>),
        total(peak + kColumn<T>) {}
};

// logits (keys, kColumn) -> weights, for one vector of queries; what was summed before is brought to the new peak
template <class T>
VIS_INLINE void weigh(T* logits, int64_t keys, const Sizes& z, const Column<T>& column, int64_t lane) {
  const Vec<T> before = load<T>(column.peak + lane);
  Vec<T> peak = before;
  for (int64_t k = 0; k < keys; ++k) peak = larger<T>(load<T>(logits + k * kColumn<T> + lane), peak);
  const Vec<T> shrink = exp2_lanes<T>(before - peak);
  Vec<T> total = load<T>(column.total + lane) * shrink;
  for (int64_t k = 0; k < keys; ++k) {
    T* at = logits + k * kColumn<T> + lane;
    const Vec<T> weight = exp2_lanes<T>(load<T>(at) - peak);
    store<T>(at, weight);
    total += weight;
  }
  store<T>(column.peak + lane, peak);
  store<T>(column.total + lane, total);
  for (int64_t c = 0; c < z.value_channels; ++c) {
    T* at = column.sum + c * kColumn<T> + lane;
    store<T>(at, load<T>(at) * shrink);
  }
}

template <class T>
VIS_INLINE void start(const ForwardArgs<T>& args, int64_t set, int64_t first, int64_t count, const Column<T>& column) {
  const Sizes& z = args.inputs.sizes;
  const Axis<const T> queries = query_axis(args.inputs.query, args.queries[set], z);
  gather<T>(queries, first, count, z.channels, args.inputs.scale * static_cast<T>(kLog2E), column.query, kColumn<T>,
            kColumn<T>);
  std::memset(column.sum, 0, sizeof(T) * z.value_channels * kColumn<T>);
  for (int64_t q = 0; q < kColumn<T>; ++q) column.peak[q] = -static_cast<T>(INFINITY), column.total[q] = 0;
}

template <class T>
VIS_INLINE void finish_column(const ForwardArgs<T>& args, int64_t set, int64_t first, int64_t count,
                              const Column<T>& column) {
  const Sizes& z = args.inputs.sizes;
  T factor[kColumn<T>];
  for (int64_t q = 0; q < kColumn<T>; ++q) factor[q] = 1 / column.total[q];
  for (int64_t c = 0; c < z.value_channels; ++c)
    for (int64_t q = 0; q < kColumn<T>; ++q) column.sum[c * kColumn<T> + q] *= factor[q];
  for (int64_t q = 0; q < count; ++q) column.peak[q] += static_cast<T>(log2(static_cast<double>(column.total[q])));
  scatter<T>(query_axis(args.out, args.queries[set], z), first, count, z.value_channels, column.sum, kColumn<T>, false);
  scatter<T>(query_axis(args.log_sum, args.queries[set], z), first, count, 1, column.peak, kColumn<T>, false);
}

// `columns` columns of one set from query `first` on.
template <class T>
void attend(const ForwardArgs<T>& args, int64_t set, int64_t first, int64_t columns, T* state) {
  const Sizes& z = args.inputs.sizes;
  const int64_t block = forward_block<T>(z), queries = args.queries[set].count;
  T* keys = static_cast<T*>(scratch(sizeof(T) * block * (z.channels + z.value_channels), 1));
  T* values = keys + block * z.channels;
  T* logits = static_cast<T*>(scratch(sizeof(T) * block * kColumn<T>, 2));
  const Axis<const T> key_pixels = key_axis(args.inputs.key, set, z), value_pixels = key_axis(args.inputs.value, set, z);
  const int64_t size = Column<T>::size(z), blocks = parts_of(z.keys(), block);
  for (int64_t i = 0; i < columns; ++i) {
    const int64_t at = first + i * kColumn<T>;
    start(args, set, at, at_most(queries - at, kColumn<T>), Column<T>(z, state + i * size));
  }
  for (int64_t b = 0; b < blocks; ++b) {
    const int64_t begin = z.keys() * b / blocks, count = z.keys() * (b + 1) / blocks - begin;
    gather<T>(key_pixels, begin, count, z.channels, 1, keys, block, count);
    gather<T>(value_pixels, begin, count, z.value_channels, 1, values, block, count);
    for (int64_t i = 0; i < columns; ++i) {
      const Column<T> column(z, state + i * size);
      product<T>({keys, 1, block, column.query, kColumn<T>, logits, kColumn<T>, z.channels}, count, kTileVectors, false);
      for (int v = 0; v < kTileVectors; ++v) weigh<T>(logits, count, z, column, v * kLanes<T>);
      product<T>({values, block, 1, logits, kColumn<T>, column.sum, kColumn<T>, count}, z.value_channels, kTileVectors,
                 true);
    }
  }
  for (int64_t i = 0; i < columns; ++i) {
    const int64_t at = first + i * kColumn<T>;
    finish_column(args, set, at, at_most(queries - at, kColumn<T>), Column<T>(z, state + i * size));
  }
}

template <class T>
void forward(const ForwardArgs<T>& args, int64_t begin, int64_t end) {
  const int64_t size = Column<T>::size(args.inputs.sizes);
  const int64_t most = at_least(kStateBytes / static_cast<int64_t>(sizeof(T)) / size, 4);
  T* state = static_cast<T*>(scratch(sizeof(T) * size * at_most(most, end - begin), 0));
  for (int64_t job = begin, set = 0; job < end;) {
    while (args.first_column[set + 1] <= job) ++set;
    // columns are shared out evenly over the stretches that are needed
    const int64_t left = at_most(end, args.first_column[set + 1]) - job;
    const int64_t columns = parts_of(left, parts_of(left, most));
    attend(args, set, (job - args.first_column[set]) * kColumn<T>, columns, state);
    job += columns;
  }
}

}  // namespace

}  // namespace vis::attention
