// CUDA registration of the local correlation on torch's stable ABI.
#include <torch/csrc/stable/accelerator.h>
#include <torch/csrc/stable/library.h>

#include <optional>
#include <tuple>

#include "checks.h"
#include "common/cuda_call.h"
#include "kernel_cuda.h"

namespace {

using namespace vis;
using torch::stable::accelerator::DeviceGuard;
using vis::correlation::CudaCall;
using vis::correlation::Sizes;
using vis::correlation::kOp;

CudaCall make_call(const Sizes& z, const Tensor& a, bool normalize, double negative_slope) {
  const double scale = normalize ? 1.0 / static_cast<double>(z.channels) : 1.0;
  return {z, element_of(a, kOp), scale, negative_slope, current_stream(a)};
}

void check(int error) { check_launch(error, kOp); }

Tensor local_correlation(const Tensor& a_, const Tensor& b_, int64_t patch_size, int64_t dilation, bool normalize,
                         double negative_slope) {
  const Sizes z = vis::correlation::checked_sizes(a_, b_, patch_size, dilation, negative_slope);
  const DeviceGuard guard(a_.get_device_index());
  const CudaCall call = make_call(z, a_, normalize, negative_slope);
  const Tensor a = torch::stable::contiguous(a_), b = torch::stable::contiguous(b_);
  Tensor out = torch::stable::new_empty(a, {z.count, z.patch() * z.patch(), z.height, z.width});
  if (out.numel() > 0)
    check(vis::correlation::forward_cuda(call, a.const_data_ptr(), b.const_data_ptr(), out.mutable_data_ptr()));
  return out;
}

std::tuple<Tensor, Tensor> local_correlation_backward(const Tensor& grad_, const Tensor& a_, const Tensor& b_,
                                                      const std::optional<Tensor>& out_, int64_t patch_size,
                                                      int64_t dilation, bool normalize, double negative_slope,
                                                      bool need_a, bool need_b) {
  const Sizes z = vis::correlation::checked_sizes(a_, b_, patch_size, dilation, negative_slope);
  vis::correlation::check_gradient(grad_, out_, a_, z, negative_slope);
  const DeviceGuard guard(a_.get_device_index());
  const CudaCall call = make_call(z, a_, normalize, negative_slope);
  const Tensor grad = torch::stable::contiguous(grad_);
  std::optional<Tensor> out;
  if (negative_slope != 1) out = torch::stable::contiguous(*out_);
  const auto gradient = [&](bool mirrored, bool need, const Tensor& other) {
    if (!need) return torch::stable::new_empty(grad, {0});
    Tensor result = torch::stable::new_empty(grad, {z.count, z.channels, z.height, z.width});
    const Tensor source = torch::stable::contiguous(other);
    if (result.numel() > 0)
      check(vis::correlation::backward_cuda(call, mirrored, grad.const_data_ptr(),
                                            out ? out->const_data_ptr() : nullptr, source.const_data_ptr(),
                                            result.mutable_data_ptr()));
    return result;
  };
  Tensor a_grad = gradient(false, need_a, b_);
  return {a_grad, gradient(true, need_b, a_)};
}

}  // namespace

STABLE_TORCH_LIBRARY_IMPL(vis_projects, CUDA, m) {
  m.impl("local_correlation", TORCH_BOX(&local_correlation));
  m.impl("local_correlation_backward", TORCH_BOX(&local_correlation_backward));
}
