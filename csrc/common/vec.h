// Vectors of floats or doubles as wide as the instruction level has them, on GCC's vector types.
// For *.simd.cpp alone: everything lies in an unnamed namespace, one copy per level.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

#ifndef VIS_LEVEL
#error "vec.h is for .simd.cpp files, which csrc/build.py compiles once per instruction level"
#endif

#if VIS_LEVEL >= 4
#define VIS_VECTOR_BYTES 64
#elif VIS_LEVEL >= 3
#define VIS_VECTOR_BYTES 32
#else
#define VIS_VECTOR_BYTES 16
#endif
#define VIS_INLINE inline __attribute__((always_inline))

namespace {

template <class T>
struct VecType;
template <>
struct VecType<float> {
  typedef float type __attribute__((vector_size(VIS_VECTOR_BYTES)));
  typedef int32_t mask __attribute__((vector_size(VIS_VECTOR_BYTES)));
};
template <>
struct VecType<double> {
  typedef double type __attribute__((vector_size(VIS_VECTOR_BYTES)));
  typedef int64_t mask __attribute__((vector_size(VIS_VECTOR_BYTES)));
};

template <class T>
using Vec = typename VecType<T>::type;

// lanes of a vector
template <class T>
constexpr int64_t kLanes = VIS_VECTOR_BYTES / sizeof(T);

// unaligned load and store
template <class T>
VIS_INLINE Vec<T> load(const T* from) {
  Vec<T> v;
  std::memcpy(&v, from, sizeof(v));
  return v;
}
template <class T>
VIS_INLINE void store(T* to, Vec<T> v) {
  std::memcpy(to, &v, sizeof(v));
}

template <class T>
VIS_INLINE Vec<T> broadcast(T x) {
  return x - Vec<T>{};  // x - 0 keeps x, its sign and nan
}

// the first n lanes, 0 behind them
template <class T>
VIS_INLINE Vec<T> load_part(const T* from, int64_t n) {
  T lanes[kLanes<T>] = {};
  for (int64_t i = 0; i < n; ++i) lanes[i] = from[i];
  return load<T>(lanes);
}
template <class T>
VIS_INLINE void store_part(T* to, Vec<T> v, int64_t n) {
  T lanes[kLanes<T>];
  store<T>(lanes, v);
  for (int64_t i = 0; i < n; ++i) to[i] = lanes[i];
}

template <class T>
VIS_INLINE T sum_lanes(Vec<T> v) {
  T lanes[kLanes<T>];
  store<T>(lanes, v);
  for (int64_t width = kLanes<T> / 2; width > 0; width /= 2)
    for (int64_t i = 0; i < width; ++i) lanes[i] += lanes[i + width];
  return lanes[0];
}

}  // namespace
