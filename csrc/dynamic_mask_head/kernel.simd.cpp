// CPU kernels of the dynamic mask head: the features of a part of the pixels stay in the cache while the instances of
// the image pass over them, tile after tile. Nothing between the features and the logits is as large as a map.
#include "kernel.h"

#include "backward.h"
#include "common/vec.h"
#include "layers.h"
#include "part.h"

namespace vis::mask_head {

namespace {

// Logits of one tile.
template <class T, bool Fixed>
void forward_tile(const Head<T, Fixed>& head, const Inputs<T>& in, T* out) {
  alignas(64) T h1[kHidden * kRow];
  for (int64_t p = 0; p < kTile; p += kStep<T>) {
    Vec<T> logit[kVectors];
    Sums<T> sums;
#pragma GCC unroll 2
    for (int row = 0; row < kHidden; row += kRows) {
      head.first(in, row, p, sums);
#pragma GCC unroll 8
      for (int r = 0; r < kRows; ++r)
        for (int v = 0; v < kVectors; ++v) store<T>(h1 + (row + r) * kRow + v * kLanes<T>, sums[r][v]);
    }
    for (int v = 0; v < kVectors; ++v) logit[v] = broadcast<T>(head.params[head.sizes.bias3()]);
#pragma GCC unroll 2
    for (int row = 0; row < kHidden; row += kRows) {
      head.second(h1, row, sums);
#pragma GCC unroll 8
      for (int r = 0; r < kRows; ++r) {
        const Vec<T> w = broadcast<T>(head.params[head.sizes.weight3() + row + r]);
        for (int v = 0; v < kVectors; ++v) logit[v] += sums[r][v] * w;
      }
    }
    for (int v = 0; v < kVectors; ++v) store<T>(out + p + v * kLanes<T>, logit[v]);
  }
}

template <class T, bool Fixed>
void forward_part(const ForwardArgs<T>& args, const Part<T>& part) {
  const HeadArgs<T>& all = args.head;
  const Sizes& z = all.sizes;
  alignas(64) T rel[2 * kRow], last[kTile];
  for (int64_t n = 0; n < z.count; ++n) {
    if (all.im_inds[n] != part.image) continue;
    const Head<T, Fixed> head(z, all.params + n * z.params());
    T* out = args.out + n * z.pixels() + part.first;
    for (int64_t p = 0; p < part.count; p += kTile) {
      if (head.coords) part.relative(all, n, p, rel);
      const bool whole = p + kTile <= part.count;
      forward_tile<T, Fixed>(head, {rel, part.feats + p, part.room, head.coords, head.inputs}, whole ? out + p : last);
      if (!whole) std::memcpy(out + p, last, sizeof(T) * (part.count - p));
    }
  }
}

bool is_fixed(const Sizes& z) { return z.channels == 8 && z.coords == 2; }

template <class T>
void forward(const ForwardArgs<T>& args, const Cut& cut, int64_t begin, int64_t end) {
  const Sizes& z = args.head.sizes;
  for (int64_t job = begin; job < end; ++job) {
    const int64_t first = job % cut.parts * cut.size;
    const Part<T> part(args.head, job / cut.parts, first, smaller(cut.size, z.pixels() - first));
    is_fixed(z) ? forward_part<T, true>(args, part) : forward_part<T, false>(args, part);
  }
}

template <class T>
void backward(const BackwardArgs<T>& args, const Cut& cut, int64_t begin, int64_t end) {
  const Sizes& z = args.head.sizes;
  for (int64_t job = begin; job < end; ++job) {
    const int64_t first = job % cut.parts * cut.size, last = smaller(first + cut.size, z.pixels());
    T* params_grad = args.params_grad ? args.params_grad + job % cut.parts * z.count * z.params() : nullptr;
    // a part is cut once more where it is too large for the cache; the pieces add to its share of params_grad in order
    for (int64_t from = first; from < last; from += kBackwardPixels) {
      const Part<T> part(args.head, job / cut.parts, from, smaller(kBackwardPixels, last - from));
      is_fixed(z) ? backward_part<T, true>(args, part, params_grad, from > first)
                  : backward_part<T, false>(args, part, params_grad, from > first);
    }
  }
}

}  // namespace

const Kernels& VIS_LEVELLED(kernels)() {
  static constexpr Kernels table{forward<float>, forward<double>, backward<float>, backward<double>};
  return table;
}

}  // namespace vis::mask_head
