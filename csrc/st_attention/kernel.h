// CPU kernels of the spatial-temporal attention, one table per instruction level. No torch headers here.
#pragma once

#include <cstdint>

#include "common/cpu_level.h"
#include "sizes.h"

namespace vis::attention {

// The query maps of a key set in a row: pixel n of them is pixel n % pixels of map order[n / pixels].
struct Queries {
  const int64_t* order;
  int64_t count;  // pixels of all these maps
};

template <class T>
struct Inputs {
  Sizes sizes;
  T scale;
  Planes<const T> query, key, value;
};

// All key sets in one range of jobs. A job is a column: as many queries of one set as the vectors of a tile have lanes.
template <class T>
struct ForwardArgs {
  Inputs<T> inputs;
  const Queries* queries;       // of each set
  const int64_t* first_column;  // S + 1 entries: the columns before each set
  Planes<T> out, log_sum;
};

constexpr int64_t kTile = 64;                 // queries of a tile of the backward pass
constexpr int64_t kTileStride = kTile + 16;   // an odd number of cache lines, so that its rows spread over the cache

// One key set with a stretch of its queries, up to `tiles` tiles from query `first` on. The keys are cut into groups
// of blocks; each group has its own share of the gradient of the queries. Neither the cuts nor the order of any sum
// depend on the number of threads.
template <class T>
struct BackwardArgs {
  Inputs<T> inputs;
  Planes<const T> grad, out, log_sum;
  Planes<T> query_grad, key_grad, value_grad;  // data is null where it is not wanted
  int64_t set;
  Queries queries;
  int64_t first, tiles;
  int64_t groups, blocks;
  T* packed;  // tiles x packed_tile_size: the queries as the products read them
  T* shares;  // groups x tiles x channels x kTile

  // rows of channels in packed tiles, again an odd number of cache lines
  static int64_t row(int64_t channels) { return (channels + 31) / 32 * 32 + 16; }
  static int64_t packed_tile_size(const Sizes& z) {
    return (z.channels + z.value_channels + 2) * kTileStride + kTile * (row(z.channels) + row(z.value_channels));
  }
  int64_t share_size() const { return inputs.sizes.channels * kTile; }
};

// Each function takes a range of jobs, which write to different places. Backward: prepare (jobs are tiles), then
// accumulate (jobs are groups of keys), then finish (tiles).
template <class T>
struct KernelsOf {
  int64_t column;  // queries of a column of the forward pass
  void (*forward)(const ForwardArgs<T>&, int64_t begin, int64_t end);
  void (*prepare)(const BackwardArgs<T>&, int64_t begin, int64_t end);
  void (*accumulate)(const BackwardArgs<T>&, int64_t begin, int64_t end);
  void (*finish)(const BackwardArgs<T>&, int64_t begin, int64_t end);
};

struct Kernels {
  KernelsOf<float> for_float;
  KernelsOf<double> for_double;
};

VIS_DECLARE_KERNELS(const Kernels&, kernels);

}  // namespace vis::attention
