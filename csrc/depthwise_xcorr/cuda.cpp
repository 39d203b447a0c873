// CUDA registration of the depth-wise cross-correlation on torch's stable ABI.
#include <torch/csrc/inductor/aoti_torch/c/shim.h>
#include <torch/csrc/stable/accelerator.h>
#include <torch/csrc/stable/library.h>
#include <torch/csrc/stable/ops.h>
#include <torch/csrc/stable/tensor.h>

#include <optional>
#include <tuple>

#include "checks.h"
#include "kernel_cuda.h"

namespace {

using torch::headeronly::ScalarType;
using torch::stable::Tensor;
using torch::stable::accelerator::DeviceGuard;
using vis::xcorr::Sizes;

vis::xcorr::Type type_of(const Tensor& tensor) {
  switch (tensor.scalar_type()) {
    case ScalarType::Float:
      return vis::xcorr::Type::kFloat;
    case ScalarType::Double:
      return vis::xcorr::Type::kDouble;
    case ScalarType::Half:
      return vis::xcorr::Type::kHalf;
    case ScalarType::BFloat16:
      return vis::xcorr::Type::kBFloat16;
    default:
      STD_TORCH_CHECK(false, "depthwise_xcorr: tensors must be float64, float32, bfloat16 or float16");
  }
}

// `index` keeps the contiguous image_index alive as long as the call.
vis::xcorr::CudaCall make_call(const Sizes& z, const Tensor& search, const std::optional<Tensor>& index) {
  void* stream = nullptr;
  STABLE_TORCH_ERROR_CODE_CHECK(aoti_torch_get_current_cuda_stream(search.get_device_index(), &stream));
  return {z, type_of(search), index ? index->const_data_ptr<int64_t>() : nullptr, stream};
}

std::optional<Tensor> contiguous_index(const std::optional<Tensor>& image_index) {
  return image_index ? std::optional<Tensor>(torch::stable::contiguous(*image_index)) : std::nullopt;
}

void check_launch(int error) {
  STD_TORCH_CHECK(error == 0, "depthwise_xcorr: CUDA error: ", vis::xcorr::cuda_error_text(error));
}

Tensor depthwise_xcorr(const Tensor& search_, const Tensor& filter_, int64_t padding,
                       const std::optional<Tensor>& image_index) {
  const Sizes z = vis::xcorr::checked_sizes(search_, filter_, padding, image_index);
  const DeviceGuard guard(search_.get_device_index());
  const Tensor search = torch::stable::contiguous(search_), filter = torch::stable::contiguous(filter_);
  const std::optional<Tensor> index = contiguous_index(image_index);
  Tensor out = torch::stable::new_empty(search, {z.count, z.channels, z.out_height(), z.out_width()});
  check_launch(vis::xcorr::forward_cuda(make_call(z, search, index), search.const_data_ptr(), filter.const_data_ptr(),
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
    check_launch(vis::xcorr::search_gradient_cuda(call, grad.const_data_ptr(), filter.const_data_ptr(),
                                                  search_grad.mutable_data_ptr()));
  }
  if (need_filter) {
    const Tensor search = torch::stable::contiguous(search_);
    filter_grad = torch::stable::new_empty(grad, {z.count, z.channels, z.rows, z.columns});
    check_launch(vis::xcorr::filter_gradient_cuda(call, grad.const_data_ptr(), search.const_data_ptr(),
                                                  filter_grad.mutable_data_ptr()));
  }
  return {search_grad, filter_grad};
}

}  // namespace

STABLE_TORCH_LIBRARY_IMPL(vis_projects, CUDA, m) {
  m.impl("depthwise_xcorr", TORCH_BOX(&depthwise_xcorr));
  m.impl("depthwise_xcorr_backward", TORCH_BOX(&depthwise_xcorr_backward));
}
