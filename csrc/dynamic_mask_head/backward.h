// Gradients of one part of the pixels of an image, for kernel.simd.cpp alone (one copy per level).
//
// The hidden layers of a tile are computed again and, with their gradients, kept in the cache. The gradient of a weight
// is then a sum over pixels of an output's gradient times an input, which small blocks of weights share loads for.
// Those sums stay vectors for the whole part and are added up at its end.
#pragma once

#include "part.h"

namespace vis::mask_head {

namespace {

constexpr int64_t kBackwardPixels = 16 * kTile;  // features and their gradients then take 128 KB

// Of one tile: rows of kRow.
template <class T>
struct TileRows {
  T rel[2 * kRow];
  T grad[kRow];  // of the logits
  T h1[kHidden * kRow], h2[kHidden * kRow];
  T h1_grad[kHidden * kRow], h2_grad[kHidden * kRow];  // before their relu
};

template <class T>
VIS_INLINE void keep(const Sums<T>& sums, T* rows) {
#pragma GCC unroll 8
  for (int r = 0; r < kRows; ++r)
#pragma GCC unroll 2
    for (int v = 0; v < kVectors; ++v) store<T>(rows + r * kRow + v * kLanes<T>, sums[r][v]);
}

// sums += gradient of `kRows` inputs of a layer from the gradients of its outputs, which are rows; `weight` is that of
// the first of them.
template <class T>
VIS_INLINE void add_input_gradient(const T* of_outputs, const T* weight, int64_t inputs, Sums<T>& sums) {
  const auto input = [&](int64_t k, int v) __attribute__((always_inline)) {
    return load<T>(of_outputs + k * kRow + v * kLanes<T>);
  };
  add_products<T>(input, kHidden, weight, 1, inputs, sums);
}

// Fills `rows` and adds to the gradient of the features, unless that is null.
template <class T, bool Fixed>
void backward_tile(const Head<T, Fixed>& head, const Inputs<T>& in, TileRows<T>& rows, T* feats_grad) {
  const T *weight1 = head.params, *weight2 = head.params + head.sizes.weight2();
  const T* weight3 = head.params + head.sizes.weight3();
  for (int64_t p = 0; p < kTile; p += kStep<T>) {
    T *h1 = rows.h1 + p, *h2 = rows.h2 + p, *h1_grad = rows.h1_grad + p, *h2_grad = rows.h2_grad + p;
    Sums<T> sums;
    Vec<T> grad[kVectors];
    for (int v = 0; v < kVectors; ++v) grad[v] = load<T>(rows.grad + p + v * kLanes<T>);
#pragma GCC unroll 2
    for (int row = 0; row < kHidden; row += kRows) {
      head.first(in, row, p, sums);
      keep<T>(sums, h1 + row * kRow);
    }
#pragma GCC unroll 2
    for (int row = 0; row < kHidden; row += kRows) {
      head.second(h1, row, sums);
      keep<T>(sums, h2 + row * kRow);
#pragma GCC unroll 8
      for (int r = 0; r < kRows; ++r) {
        const Vec<T> w = broadcast<T>(weight3[row + r]);
        for (int v = 0; v < kVectors; ++v) sums[r][v] = through_relu<T>(sums[r][v], grad[v] * w);
      }
      keep<T>(sums, h2_grad + row * kRow);
    }
#pragma GCC unroll 2
    for (int row = 0; row < kHidden; row += kRows) {
      for (int r = 0; r < kRows; ++r)
        for (int v = 0; v < kVectors; ++v) sums[r][v] = Vec<T>{};
      add_input_gradient<T>(h2_grad, weight2 + row, kHidden, sums);
#pragma GCC unroll 8
      for (int r = 0; r < kRows; ++r)
        for (int v = 0; v < kVectors; ++v)
          sums[r][v] = through_relu<T>(load<T>(h1 + (row + r) * kRow + v * kLanes<T>), sums[r][v]);
      keep<T>(sums, h1_grad + row * kRow);
    }
    if (feats_grad == nullptr) continue;
    const int64_t channels = head.inputs - head.coords, whole = channels / kRows * kRows;
#pragma GCC unroll 2
    for (int64_t c = 0; c < whole; c += kRows) {
      T* to = feats_grad + c * in.feats_stride + p;
#pragma GCC unroll 8
      for (int r = 0; r < kRows; ++r)
        for (int v = 0; v < kVectors; ++v) sums[r][v] = load<T>(to + r * in.feats_stride + v * kLanes<T>);
      add_input_gradient<T>(h1_grad, weight1 + head.coords + c, head.inputs, sums);
#pragma GCC unroll 8
      for (int r = 0; r < kRows; ++r)
        for (int v = 0; v < kVectors; ++v) store<T>(to + r * in.feats_stride + v * kLanes<T>, sums[r][v]);
    }
    for (int64_t c = whole; c < channels; ++c)
      for (int v = 0; v < kVectors; ++v) {
        T* to = feats_grad + c * in.feats_stride + p + v * kLanes<T>;
        Vec<T> sum = load<T>(to);
        for (int k = 0; k < kHidden; ++k)
          sum += load<T>(h1_grad + k * kRow + v * kLanes<T>) * weight1[k * head.inputs + head.coords + c];
        store<T>(to, sum);
      }
  }
}

// total[i * total_stride + j] += sum over the tile of a's row i times b's row j, lane by lane, for A x B weights.
template <class T, int A, int B>
VIS_INLINE void add_block(const T* a, const T* const (&b)[B], T* total, int64_t total_stride) {
  Vec<T> sums[A][B] = {};
  for (int64_t p = 0; p < kTile; p += kLanes<T>) {
    Vec<T> y[B];
#pragma GCC unroll 2
    for (int j = 0; j < B; ++j) {
      y[j] = load<T>(b[j] + p);
      hold(y[j]);
    }
#pragma GCC unroll 8
    for (int i = 0; i < A; ++i) {
      Vec<T> x = load<T>(a + i * kRow + p);
      hold(x);
#pragma GCC unroll 2
      for (int j = 0; j < B; ++j) sums[i][j] += x * y[j];
    }
  }
  for (int i = 0; i < A; ++i)
    for (int j = 0; j < B; ++j) {
      T* to = total + (i * total_stride + j) * kLanes<T>;
      store<T>(to, load<T>(to) + sums[i][j]);
    }
}

// total[i] += sum over the tile of a's row i, lane by lane.
template <class T, int A>
VIS_INLINE void add_rows(const T* a, T* total) {
  Vec<T> sums[A] = {};
  for (int64_t p = 0; p < kTile; p += kLanes<T>)
#pragma GCC unroll 8
    for (int i = 0; i < A; ++i) sums[i] += load<T>(a + i * kRow + p);
  for (int i = 0; i < A; ++i) store<T>(total + i * kLanes<T>, load<T>(total + i * kLanes<T>) + sums[i]);
}

// Adds the tile's share to the gradients of all parameters; `totals` has one vector for each.
template <class T, bool Fixed>
void add_params_gradient(const Head<T, Fixed>& head, const Inputs<T>& in, const TileRows<T>& rows, T* totals) {
  const auto total = [&](int64_t param) { return totals + param * kLanes<T>; };
  const Sizes& z = head.sizes;
  for (int row = 0; row < kHidden; row += kRows) {
    const T *h1_grad = rows.h1_grad + row * kRow, *h2_grad = rows.h2_grad + row * kRow;
    int64_t c = 0;
    for (; c + 2 <= head.inputs; c += 2)
      add_block<T, kRows, 2>(h1_grad, {in.row(c), in.row(c + 1)}, total(row * head.inputs + c), head.inputs);
    if (c < head.inputs)
      add_block<T, kRows, 1>(h1_grad, {in.row(c)}, total(row * head.inputs + c), head.inputs);
    for (int k = 0; k < kHidden; k += 2)
      add_block<T, kRows, 2>(h2_grad, {rows.h1 + k * kRow, rows.h1 + (k + 1) * kRow},
                             total(z.weight2() + row * kHidden + k), kHidden);
    add_block<T, kRows, 1>(rows.h2 + row * kRow, {rows.grad}, total(z.weight3() + row), 1);
    add_rows<T, kRows>(h1_grad, total(z.bias1() + row));
    add_rows<T, kRows>(h2_grad, total(z.bias2() + row));
  }
  add_rows<T, 1>(rows.grad, total(z.bias3()));
}

// All instances of the part's image. `params_grad` (N, P) gets or, with `add`, is added the part's share.
template <class T, bool Fixed>
void backward_part(const BackwardArgs<T>& args, const Part<T>& part, T* params_grad, bool add) {
  const HeadArgs<T>& all = args.head;
  const Sizes& z = all.sizes;
  T* totals = static_cast<T*>(scratch(sizeof(T) * z.params() * kLanes<T>, 1));
  T* feats_grad = args.feats_grad ? static_cast<T*>(scratch(sizeof(T) * z.channels * part.room, 2)) : nullptr;
  TileRows<T>& rows = *static_cast<TileRows<T>*>(scratch(sizeof(TileRows<T>), 3));
  if (feats_grad) std::memset(feats_grad, 0, sizeof(T) * z.channels * part.room);
  for (int64_t n = 0; n < z.count; ++n) {
    if (all.im_inds[n] != part.image) continue;
    const Head<T, Fixed> head(z, all.params + n * z.params());
    const T* grad = args.grad + n * z.pixels() + part.first;
    std::memset(totals, 0, sizeof(T) * z.params() * kLanes<T>);
    for (int64_t p = 0; p < part.count; p += kTile) {
      const int64_t length = smaller(kTile, part.count - p);
      std::memcpy(rows.grad, grad + p, sizeof(T) * length);
      std::memset(rows.grad + length, 0, sizeof(T) * (kTile - length));
      if (head.coords) part.relative(all, n, p, rows.rel);
      const Inputs<T> in{rows.rel, part.feats + p, part.room, head.coords, head.inputs};
      backward_tile<T, Fixed>(head, in, rows, feats_grad ? feats_grad + p : nullptr);
      if (params_grad) add_params_gradient<T, Fixed>(head, in, rows, totals);
    }
    if (params_grad == nullptr) continue;
    T* to = params_grad + n * z.params();
    for (int64_t k = 0; k < z.params(); ++k) {
      const T sum = sum_lanes<T>(load<T>(totals + k * kLanes<T>));
      to[k] = add ? to[k] + sum : sum;
    }
  }
  if (feats_grad == nullptr) return;
  T* to = args.feats_grad + part.image * z.channels * z.pixels() + part.first;
  for (int64_t c = 0; c < z.channels; ++c)
    std::memcpy(to + c * z.pixels(), feats_grad + c * part.room, sizeof(T) * part.count);
}

}  // namespace

}  // namespace vis::mask_head
