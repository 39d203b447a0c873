// What the CUDA kernels of the dynamic mask head share.
#pragma once

#include <climits>
#include <cstdio>

#include "common/element.cuh"
#include "kernel_cuda.h"

namespace vis::mask_head {

namespace {

__device__ __forceinline__ double real(const void* from, Real type, int64_t i) {
  return type == Real::kFloat    ? static_cast<double>(static_cast<const float*>(from)[i])
         : type == Real::kDouble ? static_cast<const double*>(from)[i]
                                 : static_cast<double>(static_cast<const int64_t*>(from)[i]);
}

// Parameters of an instance in shared memory, input after input, so that the weights of all outputs of a layer lie
// together: first layer (inputs x 8), second (8 x 8), third (8), biases (8, 8, 1), place x, place y, 1 / size of
// interest, and room up to a multiple of 8. Every group begins at a multiple of 8.
struct Arranged {
  int inputs;

  __host__ __device__ int weight2() const { return kHidden * inputs; }
  __host__ __device__ int weight3() const { return weight2() + kHidden * kHidden; }
  __host__ __device__ int bias1() const { return weight3() + kHidden; }
  __host__ __device__ int bias2() const { return bias1() + kHidden; }
  __host__ __device__ int bias3() const { return bias2() + kHidden; }
  __host__ __device__ int place() const { return bias3() + 1; }
  __host__ __device__ int size() const { return bias3() + kHidden; }

  // where parameter i of an instance goes
  __host__ __device__ int of_param(int i) const {
    if (i < weight2()) return i % inputs * kHidden + i / inputs;
    if (i < weight3()) return weight2() + (i - weight2()) % kHidden * kHidden + (i - weight2()) / kHidden;
    return i;
  }
};

// All threads of a block bring instance n to `to`; the caller synchronises.
template <class E>
__device__ void bring_params(const CudaHead& head, const Arranged& at, int64_t n, Sum<E>* to) {
  typedef Sum<E> S;
  const int params = static_cast<int>(head.sizes.params());
  const E* from = static_cast<const E*>(head.params) + n * params;
  for (int i = threadIdx.x; i < params; i += blockDim.x) to[at.of_param(i)] = widen(from[i]);
  if (threadIdx.x == 0 && head.sizes.coords) {
    to[at.place()] = static_cast<S>(real(head.locations, head.locations_type, 2 * n));
    to[at.place() + 1] = static_cast<S>(real(head.locations, head.locations_type, 2 * n + 1));
    to[at.place() + 2] = static_cast<S>(1 / real(head.soi, head.soi_type, n));
  }
}

// Eight values that lie together; from shared memory in wide loads, which is why it begins at a multiple of 16 bytes.
template <class S>
struct alignas(16) Eight {
  S v[kHidden];
};
template <class S>
__device__ __forceinline__ Eight<S> eight(const S* from) {
  return *reinterpret_cast<const Eight<S>*>(from);
}

// sums of each pixel += its own factor times weights that are read once for all Q pixels
template <int Q, class S, class Factor>
__device__ __forceinline__ void add_products(Eight<S>* sums, const Factor& factor, const S* weights) {
  const Eight<S> w = eight(weights);
#pragma unroll
  for (int q = 0; q < Q; ++q) {
    const S x = factor(q);
#pragma unroll
    for (int j = 0; j < kHidden; ++j) sums[q].v[j] += x * w.v[j];
  }
}

// As torch's relu: nan stays nan.
template <class S>
__device__ __forceinline__ void clip(Eight<S>& h) {
#pragma unroll
  for (int j = 0; j < kHidden; ++j) h.v[j] = h.v[j] < S(0) ? S(0) : h.v[j];
}

// One pixel of an image. With C > 0 its features are kept in registers, else they are read where they are used.
template <class E, int C>
struct Pixel {
  typedef Sum<E> S;
  S x, y;  // image position of its centre
  int64_t offset;
  const E* feats;
  S kept[C > 0 ? C : 1];

  // p is clamped to the map; the caller drops what comes of pixels behind it
  __device__ __forceinline__ void place(const Sizes& z, int64_t p) {
    offset = p < z.pixels() ? p : z.pixels() - 1;
    x = static_cast<S>(z.stride * (offset % z.width) + z.stride / 2);
    y = static_cast<S>(z.stride * (offset / z.width) + z.stride / 2);
  }
  __device__ __forceinline__ void open(const CudaHead& head, int64_t image) {
    const Sizes& z = head.sizes;
    feats = static_cast<const E*>(head.feats) + image * z.channels * z.pixels() + offset;
    if constexpr (C > 0) {
#pragma unroll
      for (int c = 0; c < C; ++c) kept[c] = widen(feats[c * z.pixels()]);
    }
  }
  __device__ __forceinline__ S feature(const Sizes& z, int c) const { return widen(feats[c * z.pixels()]); }
  __device__ __forceinline__ S relative(const Arranged& at, const S* params, int axis) const {
    return (params[at.place() + axis] - (axis == 0 ? x : y)) * params[at.place() + 2];
  }
};

// Outputs of the first layer for Q pixels.
template <int Q, class E, int C>
__device__ __forceinline__ void first_layer(const Sizes& z, const Arranged& at, const Sum<E>* params,
                                            const Pixel<E, C>* pixels, Eight<Sum<E>>* h) {
#pragma unroll
  for (int q = 0; q < Q; ++q) h[q] = eight(params + at.bias1());
  if (z.coords) {
#pragma unroll
    for (int axis = 0; axis < 2; ++axis)
      add_products<Q>(h, [&](int q) { return pixels[q].relative(at, params, axis); }, params + axis * kHidden);
  }
  const Sum<E>* weights = params + z.coords * kHidden;
  if constexpr (C > 0) {
#pragma unroll
    for (int c = 0; c < C; ++c) add_products<Q>(h, [&](int q) { return pixels[q].kept[c]; }, weights + c * kHidden);
  } else {
    for (int c = 0; c < z.channels; ++c)
      add_products<Q>(h, [&](int q) { return pixels[q].feature(z, c); }, weights + c * kHidden);
  }
#pragma unroll
  for (int q = 0; q < Q; ++q) clip(h[q]);
}

// Outputs of the second layer from those of the first.
template <int Q, class S>
__device__ __forceinline__ void second_layer(const Arranged& at, const S* params, const Eight<S>* h1, Eight<S>* h2) {
#pragma unroll
  for (int q = 0; q < Q; ++q) h2[q] = eight(params + at.bias2());
#pragma unroll
  for (int k = 0; k < kHidden; ++k)
    add_products<Q>(h2, [&](int q) { return h1[q].v[k]; }, params + at.weight2() + k * kHidden);
#pragma unroll
  for (int q = 0; q < Q; ++q) clip(h2[q]);
}

__device__ __forceinline__ int64_t checked_image(const CudaHead& head, int64_t n) {
  const int64_t image = head.im_inds[n];
  if (image < 0 || image >= head.sizes.images) {
    printf("dynamic_mask_head: im_inds[%lld] is %lld, but mask_feats has %lld images\n", static_cast<long long>(n),
           static_cast<long long>(image), static_cast<long long>(head.sizes.images));
    __trap();
  }
  return image;
}

}  // namespace

}  // namespace vis::mask_head
