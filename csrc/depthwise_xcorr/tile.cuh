// Correlation of a tile in shared memory with square templates of side K, for the CUDA kernels that write maps.
//
// A thread owns R rows of one column: it reads a column of R + K - 1 values once for each template column and uses it
// for all template rows and for NB templates.
#pragma once

#include "device.cuh"

namespace vis::xcorr {

// Weights of NB templates in shared memory: for each template column s the K x NB values w[r][b], in packs of four.
constexpr int packs(int taps, int templates) { return (taps * templates + 3) / 4; }
constexpr int weight_values(int side, int templates) { return side * packs(side, templates) * 4; }

template <class A>
struct alignas(16) Pack {
  A value[4];
};

// Weights of templates n0 .. n0 + used - 1 for one channel; zeros for the rest. `flip` turns them by 180 degrees.
template <class T, int K, int NB>
__device__ void load_weights(const T* filter, const Sizes& z, int64_t n0, int used, int64_t channel, bool flip,
                             Sum<T>* to) {
  constexpr int stride = packs(K, NB) * 4;
  for (int i = threadIdx.x; i < weight_values(K, NB); i += blockDim.x) {
    const int s = i / stride, r = i % stride / NB, b = i % stride % NB;
    Sum<T> weight = 0;
    if (r < K && b < used) {
      const T* from = filter + ((n0 + b) * z.channels + channel) * (K * K);
      weight = widen(from[flip ? K * K - 1 - (r * K + s) : r * K + s]);
    }
    to[i] = weight;
  }
}

// sum[b][o] += correlation at R rows below `column` (a place in a tile of `stride` columns) for NB templates.
template <class A, int K, int NB, int R>
__device__ void correlate_column(const A* column, int stride, const A* weights, A (&sum)[NB][R]) {
#pragma unroll
  for (int s = 0; s < K; ++s) {
    A value[R + K - 1];
#pragma unroll
    for (int y = 0; y < R + K - 1; ++y) value[y] = column[y * stride + s];
    Pack<A> weight[packs(K, NB)];
#pragma unroll
    for (int i = 0; i < packs(K, NB); ++i) weight[i] = reinterpret_cast<const Pack<A>*>(weights)[s * packs(K, NB) + i];
#pragma unroll
    for (int r = 0; r < K; ++r)
#pragma unroll
      for (int b = 0; b < NB; ++b)
#pragma unroll
        for (int o = 0; o < R; ++o) sum[b][o] += weight[(r * NB + b) / 4].value[(r * NB + b) % 4] * value[o + r];
  }
}

// Place of a tile in the plane of results, from the number of a block's piece of work, which loses the tile.
__device__ inline void tile_place(const Plan& plan, int rows, int64_t& piece, int64_t& y0, int64_t& x0) {
  x0 = piece % plan.tiles_x * plan.columns;
  piece /= plan.tiles_x;
  y0 = piece % plan.tiles_y * (plan.groups * rows);
  piece /= plan.tiles_y;
}

inline int threads_for(const Plan& plan) { return static_cast<int>(divide_up(plan.groups * plan.columns, 32) * 32); }

// Plan of results of height x width for a template of side K; values of shared memory that hold for the tile.
template <class T, int K>
Plan tile_plan(int64_t height, int64_t width, int rows, int templates) {
  const int64_t room = kMaxShared / static_cast<int64_t>(sizeof(Sum<T>)) - weight_values(K, templates);
  return plan_tiles(height, width, rows, K - 1, kMaxThreads, room);
}

template <class T, int K>
size_t shared_bytes(const Plan& plan, int rows, int templates) {
  return sizeof(Sum<T>) *
         (weight_values(K, templates) + (plan.groups * rows + K - 1) * static_cast<size_t>(plan.columns + K - 1));
}

}  // namespace vis::xcorr
