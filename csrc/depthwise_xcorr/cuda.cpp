// CUDA registration of the depth-wise cross-correlation on torch's stable ABI.
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
using vis::xcorr::Sizes;
using vis::xcorr::kOp;

// `index` keeps the contiguous image_index alive as long as the call.
vis::xcorr::CudaCall make_call(const Sizes& z, const Tensor& search, const std::optional<Tensor>& index) {
  return {z, element_of(search, kOp), index ? index->const_data_ptr<int64_t>() : nullptr, current_stream(search)};
}

std::optional<Tensor> contiguous_index(const std::optional<Tensor>& image_index) {
  return image_index ? std::optional<Tensor>(torch::stable::contiguous(*image_index)) : std::nullopt;
}

void check(int error) { check_launch(error, kOp); }

Tensor depthwise_xcorr(const Tensor& search_, const Tensor& filter_, int64_t padding,
                       const std::optional<Tensor>& image_index) {
  const Sizes z = vis::xcorr::checked_sizes(search_, filter_, padding, image_index);
  const DeviceGuard guard(search_.get_device_index());
  const Tensor search = torch::stable::contiguous(search_), filter = torch::stable::contiguous(filter_);
  const std::optional<Tensor> index = contiguous_index(image_index);
  Tensor out = torch::stable::new_empty(search, {z.count, z.channels, z.out_height(), z.out_width()});
  check(vis::xcorr::forward_cuda(make_call(z, search, index), search.const_data_ptr(), filter.const_data_ptr(),
                                 out.mutable_data_ptr()));
  return out;
}

std::tuple<Tensor, Tensor> depthwise_xcorr_backward(const Tensor& grad_, const Tensor& search_, const Tensor& filter_,
                                                    int64_t padding, const std::optional<Tensor>& image_index,
                                                    bool need_search, bool need_filter) {
  const Sizes z = vis::xcorr::checked_sizes(search_, filter_, padding, image_index);
  vis::xcorr::check_gradient(grad_, filter_, z);
  const DeviceGuard guard(search_.get_device_index());
  const Tensor grad = torch::stable::contiguous(grad_);
  const std::optional<Tensor> index = contiguous_index(image_index);
  const vis::xcorr::CudaCall call = make_call(z, search_, index);
  Tensor search_grad = torch::stable::new_empty(grad, {0}), filter_grad = torch::stable::new_empty(grad, {0});
  if (need_search) {
    const Tensor filter = torch::stable::contiguous(filter_);
    search_grad = torch::stable::new_empty(grad, {z.maps, z.channels, z.height, z.width});
    check(vis::xcorr::search_gradient_cuda(call, grad.const_data_ptr(), filter.const_data_ptr(),
                                           search_grad.mutable_data_ptr()));
  }
  if (need_filter) {
    const Tensor search = torch::stable::contiguous(search_);
    filter_grad = torch::stable::new_empty(grad, {z.count, z.channels, z.rows, z.columns});
    check(vis::xcorr::filter_gradient_cuda(call, grad.const_data_ptr(), search.const_data_ptr(),
                                           filter_grad.mutable_data_ptr()));
  }
  return {search_grad, filter_grad};
}

}  // namespace

STABLE_TORCH_LIBRARY_IMPL(vis_projects, CUDA, m) {
  m.impl("depthwise_xcorr", TORCH_BOX(&depthwise_xcorr));
  m.impl("depthwise_xcorr_backward", TORCH_BOX(&depthwise_xcorr_backward));
}
