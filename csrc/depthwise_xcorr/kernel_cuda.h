// Entry points of the CUDA kernels of the depth-wise cross-correlation. No torch headers here.
#pragma once

#include <cstdint>

#include "common/element.h"
#include "sizes.h"

namespace vis::xcorr {

struct CudaCall {
  Sizes sizes;
  Element element;             // of the tensors
  const int64_t* image_index;  // on the device; null: map 0 for all templates, or map n for template n
  void* stream;                // cudaStream_t
};

// All tensors are contiguous and on the current device. Each returns a cudaError_t, 0 for success; a call without any
// result to write launches nothing. Results are the same bits on each run.
int forward_cuda(const CudaCall& call, const void* search, const void* filter, void* out);
int search_gradient_cuda(const CudaCall& call, const void* grad, const void* filter, void* search_grad);
int filter_gradient_cuda(const CudaCall& call, const void* grad, const void* search, void* filter_grad);

}  // namespace vis::xcorr
