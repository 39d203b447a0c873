// CPU kernels of the local correlation, one table per instruction level. No torch headers here.
#pragma once

#include <cstdint>

#include "common/cpu_level.h"
#include "sizes.h"

namespace vis::correlation {

// Epilogue of a sum: times `scale`, and times `slope` where that is not positive.
template <class T>
struct Epilogue {
  T scale, slope;
};

// `rows` is working memory of packed_row() * N * H elements: b with a border of zeros, row by row.
template <class T>
struct ForwardArgs {
  Sizes sizes;
  Epilogue<T> epilogue;
  const T* a;
  const T* b;
  T* out;
  T* rows;
};

// The gradient of a (mirrored = false; its source is b) or of b (mirrored = true; its source is a).
// `rows` as above, of the source; `weights` is working memory of packed_weights() * N * H elements.
template <class T>
struct BackwardArgs {
  Sizes sizes;
  Epilogue<T> epilogue;
  bool mirrored;
  const T* grad;
  const T* out;  // of the forward pass; null for a slope of 1
  T* result;
  T* rows;
  T* weights;
};

// Each pass has steps in this order; the jobs [begin, end) of a step write to different places, so threads may share
// them, and a step begins when the one before has ended.
template <class T>
struct KernelsOf {
  int64_t (*packed_row)(const Sizes&);      // elements that a row of a map takes in `rows`
  int64_t (*packed_weights)(const Sizes&);  // elements that a row of the gradient takes in `weights`
  int64_t (*pack_jobs)(const Sizes&);
  void (*pack)(const Sizes&, const T* map, T* rows, int64_t begin, int64_t end);
  void (*pack_weights)(const BackwardArgs<T>&, int64_t begin, int64_t end);  // N * H jobs
  int64_t (*forward_jobs)(const Sizes&);
  void (*forward)(const ForwardArgs<T>&, int64_t begin, int64_t end);
  int64_t (*backward_jobs)(const Sizes&);
  void (*backward)(const BackwardArgs<T>&, int64_t begin, int64_t end);
};

struct Kernels {
  KernelsOf<float> of_float;
  KernelsOf<double> of_double;
};

VIS_DECLARE_KERNELS(const Kernels&, kernels);

}  // namespace vis::correlation
