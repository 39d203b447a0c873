// CPU kernels of the dynamic mask head, one table per instruction level. No torch headers here.
#pragma once

#include <cstdint>

#include "common/cpu_level.h"
#include "sizes.h"

namespace vis::mask_head {

// Contiguous tensors; locations and soi are null for a head without relative coordinates. im_inds lie in [0, B).
template <class T>
struct HeadArgs {
  Sizes sizes;
  const T* feats;
  const T* params;
  const double* locations;
  const double* soi;
  const int64_t* im_inds;
};

template <class T>
struct ForwardArgs {
  HeadArgs<T> head;
  T* out;
};

// feats_grad and params_grad may each be null: not wanted. params_grad is (parts, N, P): every part of the pixels of an
// image writes its own share, which the caller sums.
template <class T>
struct BackwardArgs {
  HeadArgs<T> head;
  const T* grad;
  T* feats_grad;
  T* params_grad;
};

constexpr int64_t kTile = 128;  // pixels whose hidden layers are in the cache together

// How the pixels of an image are cut into parts of whole tiles; the last part has what is left. It follows from the
// sizes alone, never from the number of threads, so that sums have one order.
struct Cut {
  int64_t size, parts;

  Cut(int64_t pixels, int64_t most_parts) {
    const int64_t tiles = (pixels + kTile - 1) / kTile;
    size = (tiles + most_parts - 1) / most_parts * kTile;
    parts = size > 0 ? (pixels + size - 1) / size : 0;
  }
};

// A job is one part of the pixels of one image, with all instances of that image; jobs write to different places.
// Job number: image * parts + part.
struct Kernels {
  void (*forward_float)(const ForwardArgs<float>&, const Cut&, int64_t begin, int64_t end);
  void (*forward_double)(const ForwardArgs<double>&, const Cut&, int64_t begin, int64_t end);
  void (*backward_float)(const BackwardArgs<float>&, const Cut&, int64_t begin, int64_t end);
  void (*backward_double)(const BackwardArgs<double>&, const Cut&, int64_t begin, int64_t end);
};

VIS_DECLARE_KERNELS(const Kernels&, kernels);

}  // namespace vis::mask_head
