// CUDA kernels of the local correlation as plain functions. No torch headers here.
#pragma once

#include "common/element.h"
#include "sizes.h"

namespace vis::correlation {

// What all kernels of a call know. Tensors are contiguous and of `element`; `stream` is a cudaStream_t of the current
// device. Maps have elements. Results are times `scale`; negative ones of the forward pass times `slope`.
struct CudaCall {
  Sizes sizes;
  Element element;
  double scale, slope;
  void* stream;
};

// Each returns a cudaError_t.
int forward_cuda(const CudaCall& call, const void* a, const void* b, void* out);

// The gradient of a (mirrored = false; its source is b) or of b (mirrored = true; its source is a). `out` is the result
// of the forward pass, null for a slope of 1.
int backward_cuda(const CudaCall& call, bool mirrored, const void* grad, const void* out, const void* source,
                  void* result);

}  // namespace vis::correlation
