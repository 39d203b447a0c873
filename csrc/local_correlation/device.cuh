// What both CUDA kernels use: element types and the size of a launch.
#pragma once

#include <cuda_bf16.h>
#include <cuda_fp16.h>
#include <cuda_runtime.h>

#include <type_traits>

#include "kernel_cuda.h"

namespace vis::correlation {

constexpr int kLanes = 32;  // columns of a block, neighbours in memory
constexpr int kRows = 2;    // rows of a tile, which share the loads of a source row

// sums of T are of this type
template <class T>
struct Accumulated {
  using type = float;
};
template <>
struct Accumulated<double> {
  using type = double;
};
template <class T>
using Sum = typename Accumulated<T>::type;

template <class T>
__device__ inline Sum<T> load(const T* from) {
  return static_cast<Sum<T>>(*from);
}
template <class T>
__device__ inline void store(T* to, Sum<T> value) {
  *to = static_cast<T>(value);
}

__device__ inline int64_t clamped(int64_t value, int64_t most) { return value < 0 ? 0 : value > most ? most : value; }

// Blocks for a number of jobs; a block takes jobs a grid apart.
inline unsigned grid_of(int64_t jobs) { return static_cast<unsigned>(jobs < 0x7fffffff ? jobs : 0x7fffffff); }

// Calls `run` with a null pointer of the element type.
template <class Run>
int with_element(Element element, Run run) {
  switch (element) {
    case Element::kFloat: return run(static_cast<float*>(nullptr));
    case Element::kDouble: return run(static_cast<double*>(nullptr));
    case Element::kHalf: return run(static_cast<__half*>(nullptr));
    case Element::kBFloat16: return run(static_cast<__nv_bfloat16*>(nullptr));
  }
  return static_cast<int>(cudaErrorInvalidValue);
}

}  // namespace vis::correlation
