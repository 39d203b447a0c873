// Types that the CUDA kernels of the attention share.
#pragma once

#include <cmath>
#include <cstdint>

#include "common/element.cuh"
#include "kernel_cuda.h"

namespace vis::attention {

constexpr int kSide = 16;                // a block is kSide x kSide threads
constexpr int kThreads = kSide * kSide;
constexpr int kDepth = 16;               // channels, or positions, that a product takes at a time

template <class S>
constexpr int kRows = sizeof(S) == 8 ? 2 : 4;  // a thread has kRows x kRows numbers of a tile
template <class S>
constexpr int kTileSize = kSide * kRows<S>;
template <class S>
constexpr int kGroups = kThreads / kTileSize<S>;  // threads that share a column of W

template <class T>
struct KernelArgs {
  Sizes sizes;
  Plan plan;
  Planes<const T> query, key, value, grad;
  const int64_t* image_index;
  const Sum<T>* log_sum;
  const Sum<T>* products;
  Sum<T> factor;  // of dot products: logits are to base 2
  Sum<T>* sums;   // (splits, channels, positions)
  Sum<T>* peaks;  // (splits, positions) of the forward pass
  Sum<T>* totals;
};

// The positions of a tile: map (or frame) and place in it; map -1 behind the last one.
template <int Size>
struct Positions {
  int map[Size], at[Size];

  __device__ void fill(int64_t first, int64_t count, int64_t inner, int64_t first_map) {
    if (threadIdx.x >= Size) return;
    const int64_t n = first + threadIdx.x;
    map[threadIdx.x] = n < count ? static_cast<int>(first_map + n / inner) : -1;
    at[threadIdx.x] = n < count ? static_cast<int>(n % inner) : 0;
  }
};

template <class S>
struct Shared {
  static constexpr int kTile = kTileSize<S>;
  Positions<kTile> own, other;
  alignas(16) S slab[2 * kDepth * kTile];  // channels of the two sides, or of X
  alignas(16) S weights[kTile * kTile];    // [other][own]
  S largest[kGroups<S> * kTile], added[kGroups<S> * kTile];
  S peak[kTile], total[kTile], shrink[kTile];
  S log_sum[kTile], product[kTile];  // of the queries of the tile
};

}  // namespace vis::attention
