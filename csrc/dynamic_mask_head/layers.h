// One tile of pixels through the layers of one instance, for kernel.simd.cpp alone (one copy per level).
#pragma once

#include "common/vec.h"
#include "kernel.h"

namespace vis::mask_head {

namespace {

// 16 vector registers hold 4 x 2 sums, 2 inputs and the weights on their way; 32 (level 4) hold 8 x 2 sums
constexpr int kRows = VIS_LEVEL >= 4 ? 8 : 4;
constexpr int kVectors = 2;

// From one row of a tile to the next, for the cache: rows a power of two apart would compete for the same places of it.
constexpr int64_t kRow = kTile + 16;

template <class T>
using Sums = Vec<T>[kRows][kVectors];

template <class T>
constexpr int64_t kStep = kVectors * kLanes<T>;  // pixels at a time

// Leaves a value in a register, where those are as wide as the vectors; else GCC reads it from memory again for each
// product, and loads become the limit.
template <class V>
VIS_INLINE void hold([[maybe_unused]] V& value) {
#if defined(__AVX512F__) || (defined(__AVX__) && VIS_VECTOR_BYTES <= 32) || \
    (defined(__SSE2__) && VIS_VECTOR_BYTES <= 16)
  asm("" : "+v"(value));
#endif
}

// As torch's relu: nan stays nan.
template <class T>
VIS_INLINE Vec<T> relu(Vec<T> x) {
  Vec<T> zero{};
  hold(zero);  // with a zero that GCC knows it compares and masks, two steps instead of one maximum
  return x < zero ? zero : x;
}
// The gradient behind a relu with output h.
template <class T>
VIS_INLINE Vec<T> through_relu(Vec<T> h, Vec<T> grad) {
  return h <= Vec<T>{} ? Vec<T>{} : grad;
}

// kRows outputs of a layer: sum over `count` inputs of weight[row * row_stride + input * input_stride] times input, on
// top of `sums`. `input(c, v)` is vector v of input c.
template <class T, class Input>
VIS_INLINE void add_products(const Input& input, int64_t count, const T* weight, int64_t row_stride,
                             int64_t input_stride, Sums<T>& sums) {
#pragma GCC unroll 10
  for (int64_t c = 0; c < count; ++c) {
    Vec<T> x[kVectors];
#pragma GCC unroll 2
    for (int v = 0; v < kVectors; ++v) {
      x[v] = input(c, v);
      hold(x[v]);
    }
#pragma GCC unroll 8
    for (int r = 0; r < kRows; ++r) {
      const Vec<T> w = broadcast<T>(weight[r * row_stride + c * input_stride]);
#pragma GCC unroll 2
      for (int v = 0; v < kVectors; ++v) sums[r][v] += x[v] * w;
    }
  }
}

template <class T>
VIS_INLINE void start(const T* bias, Sums<T>& sums) {
#pragma GCC unroll 8
  for (int r = 0; r < kRows; ++r)
#pragma GCC unroll 2
    for (int v = 0; v < kVectors; ++v) sums[r][v] = broadcast<T>(bias[r]);
}

// Inputs of the first layer at a tile: the relative coordinates, then the channels.
template <class T>
struct Inputs {
  const T* rel;  // rows of kRow
  const T* feats;
  int64_t feats_stride;
  int64_t coords, count;

  VIS_INLINE const T* row(int64_t c) const { return c < coords ? rel + c * kRow : feats + (c - coords) * feats_stride; }
};

// An instance with the places of its parameters. With `Fixed`, the usual head: 8 channels and relative coordinates.
template <class T, bool Fixed>
struct Head {
  const T* params;
  int64_t coords, inputs;
  Sizes sizes;

  Head(const Sizes& z, const T* of_instance)
      : params(of_instance), coords(Fixed ? 2 : z.coords), inputs(Fixed ? 10 : z.inputs()), sizes(z) {
    sizes.channels = inputs - coords;
    sizes.coords = coords;
  }

  // Outputs `row` to `row + kRows` of the first layer for pixels p to p + kStep of the tile.
  VIS_INLINE void first(const Inputs<T>& in, int64_t row, int64_t p, Sums<T>& sums) const {
    start<T>(params + sizes.bias1() + row, sums);
    const auto input = [&](int64_t c, int v) __attribute__((always_inline)) {
      return load<T>(in.row(c) + p + v * kLanes<T>);
    };
    add_products<T>(input, inputs, params + row * inputs, inputs, 1, sums);
    clip(sums);
  }

  // The same of the second layer, from the outputs of the first, which are rows.
  VIS_INLINE void second(const T* h1, int64_t row, Sums<T>& sums) const {
    start<T>(params + sizes.bias2() + row, sums);
    const auto input = [&](int64_t c, int v) __attribute__((always_inline)) {
      return load<T>(h1 + c * kRow + v * kLanes<T>);
    };
    add_products<T>(input, kHidden, params + sizes.weight2() + row * kHidden, kHidden, 1, sums);
    clip(sums);
  }

  static VIS_INLINE void clip(Sums<T>& sums) {
#pragma GCC unroll 8
    for (int r = 0; r < kRows; ++r)
#pragma GCC unroll 2
      for (int v = 0; v < kVectors; ++v) sums[r][v] = relu<T>(sums[r][v]);
  }
};

}  // namespace

}  // namespace vis::mask_head
