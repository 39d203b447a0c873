// What the CUDA kernels of the depth-wise cross-correlation share.
#pragma once

#include <cstdint>

#include "common/element.cuh"
#include "kernel_cuda.h"

namespace vis::xcorr {

constexpr int kMaxThreads = 384;
constexpr int kMaxTileColumns = 128;
constexpr int64_t kMaxShared = 48 * 1024;
constexpr int64_t kMaxBlocks = 1 << 30;  // more work than blocks: a block goes on with the next piece

// How a plane of results is cut into tiles. A thread owns R rows of one column of its tile: one "item".
struct Plan {
  int groups;   // of R rows, in a tile
  int columns;  // of a tile
  int64_t tiles_y, tiles_x;

  constexpr int64_t tiles() const { return tiles_y * tiles_x; }
};

inline int blocks_for(int64_t pieces) { return static_cast<int>(pieces < kMaxBlocks ? pieces : kMaxBlocks); }

inline int64_t divide_up(int64_t a, int64_t b) { return (a + b - 1) / b; }

// What a kernel is given beside its tensors.
struct Shape {
  Sizes sizes;
  Plan plan;
  const int64_t* image_index;
};

// Tiles of equal size, of at most max_items items and max_values values with their border.
inline Plan plan_tiles(int64_t height, int64_t width, int rows_of_item, int border, int64_t max_items,
                       int64_t max_values) {
  Plan plan;
  plan.tiles_x = divide_up(width, kMaxTileColumns);
  plan.columns = static_cast<int>(divide_up(width, plan.tiles_x));
  const int64_t all = divide_up(height, rows_of_item);
  int64_t groups = max_items / plan.columns;
  const int64_t by_values = (max_values / (plan.columns + border) - border) / rows_of_item;
  if (groups > by_values) groups = by_values;
  if (groups > all) groups = all;
  if (groups < 1) groups = 1;
  plan.tiles_y = divide_up(all, groups);
  plan.groups = static_cast<int>(divide_up(all, plan.tiles_y));
  return plan;
}

// The search map of template n; stops the kernel where an index is outside of the maps.
__device__ inline int64_t map_of(const int64_t* image_index, int64_t maps, int64_t n) {
  if (image_index == nullptr) return maps == 1 ? 0 : n;
  const int64_t map = image_index[n];
  if (map < 0 || map >= maps) __trap();
  return map;
}

// Whether template n belongs to this map; for the loop of `templates_of`.
__device__ inline bool belongs(const int64_t* image_index, int64_t n, int64_t map) {
  return image_index == nullptr || image_index[n] == map;
}

// The templates [first, last) that may belong to a map.
__device__ inline void templates_of(const int64_t* image_index, const Sizes& z, int64_t map, int64_t& first,
                                    int64_t& last) {
  const bool own = image_index == nullptr && z.maps > 1;
  first = own ? map : 0;
  last = own ? map + 1 : z.count;
}

// Copies rows x columns values of a plane from (top, left) on into shared memory, zeros outside of the plane.
template <class T>
__device__ void load_tile(const T* plane, int64_t height, int64_t width, int64_t top, int64_t left, int rows,
                          int columns, Sum<T>* to) {
  for (int i = threadIdx.x; i < rows * columns; i += blockDim.x) {
    const int64_t y = top + i / columns, x = left + i % columns;
    const bool inside = y >= 0 && y < height && x >= 0 && x < width;
    to[i] = inside ? widen(plane[y * width + x]) : Sum<T>(0);
  }
}

}  // namespace vis::xcorr
