// What every registration does with tensors, on torch's stable ABI. `op` is the name of the op in messages.
#pragma once

#include <torch/csrc/stable/ops.h>
#include <torch/csrc/stable/tensor.h>

namespace vis {

using torch::headeronly::ScalarType;
using torch::stable::Tensor;

inline bool same_device(const Tensor& a, const Tensor& b) {
  return a.is_cuda() == b.is_cuda() && a.get_device_index() == b.get_device_index();
}

inline Tensor in_dtype(const Tensor& tensor, ScalarType type) {
  return tensor.scalar_type() == type ? tensor : torch::stable::to(tensor, type);
}

// In the dtype that CPU kernels compute in: its own, or float32 for bfloat16 and float16.
inline Tensor in_working_dtype(const Tensor& tensor, const char* op) {
  const ScalarType type = tensor.scalar_type();
  if (type == ScalarType::Float || type == ScalarType::Double) return tensor;
  STD_TORCH_CHECK(type == ScalarType::BFloat16 || type == ScalarType::Half, op,
                  ": tensors must be float64, float32, bfloat16 or float16");
  return torch::stable::to(tensor, ScalarType::Float);
}

// The same, contiguous.
inline Tensor working_copy(const Tensor& tensor, const char* op) {
  return torch::stable::contiguous(in_working_dtype(tensor, op));
}

// A result of this shape, or an empty tensor where it is not wanted.
inline Tensor empty_if(bool wanted, const Tensor& like, torch::headeronly::IntHeaderOnlyArrayRef shape) {
  return wanted ? torch::stable::new_empty(like, shape) : torch::stable::new_empty(like, {0});
}

}  // namespace vis
