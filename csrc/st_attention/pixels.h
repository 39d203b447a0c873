// Rows of pixels of several maps, copied to and from working memory; for kernel.simd.cpp alone (one copy per level).
#pragma once

#include "common/vec.h"
#include "kernel.h"
#include "product.h"

namespace vis::attention {

namespace {

// Pixel n is pixel n % pixels of map order[n / pixels], or of map n / pixels without an order.
template <class T>
struct Axis {
  T* data;
  const int64_t* order;
  int64_t map_stride, channel_stride, pixels;
};

template <class T>
VIS_INLINE Axis<T> query_axis(const Planes<T>& planes, const Queries& queries, const Sizes& z) {
  return {planes.data, queries.order, planes.map_stride, planes.channel_stride, z.pixels()};
}

template <class T>
VIS_INLINE Axis<T> key_axis(const Planes<T>& planes, int64_t set, const Sizes& z) {
  return {planes.data + set * planes.set_stride, nullptr, planes.map_stride, planes.channel_stride, z.places()};
}

// Calls run(first element, pixels before it, its pixels) for each stretch of neighbours among `count` pixels.
template <class T, class F>
VIS_INLINE void for_each_run(const Axis<T>& axis, int64_t first, int64_t count, F run) {
  for (int64_t done = 0; done < count;) {
    const int64_t map = (first + done) / axis.pixels, at = (first + done) % axis.pixels;
    const int64_t size = at_most(axis.pixels - at, count - done);
    run(axis.data + (axis.order ? axis.order[map] : map) * axis.map_stride + at, done, size);
    done += size;
  }
}

// to[c][n] = factor * pixel n in channel c; zeros behind the last pixel up to `room`.
template <class T>
void gather(const Axis<const T>& axis, int64_t first, int64_t count, int64_t channels, T factor, T* to, int64_t stride,
            int64_t room) {
  for_each_run(axis, first, count, [&](const T* from, int64_t done, int64_t size) {
    for (int64_t c = 0; c < channels; ++c) {
      const T* source = from + c * axis.channel_stride;
      T* target = to + c * stride + done;
      for (int64_t n = 0; n < size; ++n) target[n] = source[n] * factor;
    }
  });
  for (int64_t c = 0; c < channels; ++c)
    for (int64_t n = count; n < room; ++n) to[c * stride + n] = 0;
}

// Pixel n in channel c (+)= from[c * row + n].
template <class T>
void scatter(const Axis<T>& axis, int64_t first, int64_t count, int64_t channels, const T* from, int64_t row, bool add) {
  for_each_run(axis, first, count, [&](T* to, int64_t done, int64_t size) {
    for (int64_t c = 0; c < channels; ++c) {
      const T* source = from + c * row + done;
      T* target = to + c * axis.channel_stride;
      if (add)
        for (int64_t n = 0; n < size; ++n) target[n] += source[n];
      else
        for (int64_t n = 0; n < size; ++n) target[n] = source[n];
    }
  });
}

// to[n][m] = factor * from[m][n] for m < rows, n < columns.
template <class T>
void transpose(const T* from, int64_t from_stride, int64_t rows, int64_t columns, T factor, T* to, int64_t to_stride) {
  for (int64_t m = 0; m < rows; ++m)
    for (int64_t n = 0; n < columns; ++n) to[n * to_stride + m] = factor * from[m * from_stride + n];
}

}  // namespace

}  // namespace vis::attention
