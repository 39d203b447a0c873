// What every CUDA registration needs to start a kernel. `op` is the name of the op in messages.
#pragma once

#include <cuda_runtime.h>
#include <torch/csrc/inductor/aoti_torch/c/shim.h>
#include <torch/csrc/stable/tensor.h>

#include "common/element.h"
#include "common/tensors.h"

namespace vis {

inline Element element_of(const Tensor& tensor, const char* op) {
  switch (tensor.scalar_type()) {
    case ScalarType::Float:
      return Element::kFloat;
    case ScalarType::Double:
      return Element::kDouble;
    case ScalarType::Half:
      return Element::kHalf;
    case ScalarType::BFloat16:
      return Element::kBFloat16;
    default:
      STD_TORCH_CHECK(false, op, ": tensors must be float64, float32, bfloat16 or float16");
  }
  return Element::kFloat;
}

// The cudaStream_t that torch uses on the device of a tensor.
inline void* current_stream(const Tensor& tensor) {
  void* stream = nullptr;
  STABLE_TORCH_ERROR_CODE_CHECK(aoti_torch_get_current_cuda_stream(tensor.get_device_index(), &stream));
  return stream;
}

// Throws unless a cudaError_t says success.
inline void check_launch(int error, const char* op) {
  STD_TORCH_CHECK(error == cudaSuccess, op, ": CUDA kernel did not start: ",
                  cudaGetErrorString(static_cast<cudaError_t>(error)));
}

}  // namespace vis
