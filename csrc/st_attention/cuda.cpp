// CUDA registration of the spatial-temporal attention on torch's stable ABI.
#include <torch/csrc/stable/accelerator.h>
#include <torch/csrc/stable/library.h>

#include <optional>
#include <tuple>
#include <vector>

#include "checks.h"
#include "common/cuda_call.h"
#include "kernel_cuda.h"

namespace {

using namespace vis;
using namespace vis::attention;

void check(int error) { check_launch(error, kOp); }

// The inputs of a call as the kernels take them; views with dense maps are not copied.
struct Call {
  Sizes sizes;
  Tensor query, key, value;
  std::optional<Tensor> index;
  CudaCall cuda;

  Call(const Tensor& query_, const Tensor& key_, const Tensor& value_, double scale,
       const std::optional<Tensor>& image_index)
      : sizes(checked_sizes(query_, key_, value_, image_index)), query(with_dense_maps(query_)),
        key(with_dense_maps(key_)), value(with_dense_maps(value_)) {
    if (image_index) index = torch::stable::contiguous(*image_index);
    cuda = {sizes, element_of(query, kOp), scale, map_planes(query, query.const_data_ptr()),
            frame_planes(key, key.const_data_ptr()), frame_planes(value, value.const_data_ptr()),
            index ? static_cast<const int64_t*>(index->const_data_ptr()) : nullptr, current_stream(query)};
  }

  bool in_double() const { return cuda.element == Element::kDouble; }
  // float32, or float64 for float64
  Tensor numbers(std::vector<int64_t> shape) const {
    return torch::stable::new_empty(query, shape, in_double() ? ScalarType::Double : ScalarType::Float);
  }
  Plan plan(Pass pass) const {
    Plan plan{};
    check(make_plan(pass, sizes, index.has_value(), in_double(), &plan));
    return plan;
  }
};

std::tuple<Tensor, Tensor> st_attention(const Tensor& query, const Tensor& key, const Tensor& value, double scale,
                                        const std::optional<Tensor>& image_index) {
  const torch::stable::accelerator::DeviceGuard guard(query.get_device_index());
  const Call call(query, key, value, scale, image_index);
  const Sizes& z = call.sizes;
  Tensor out = torch::stable::new_empty(call.query, {z.maps, z.value_channels, z.height, z.width});
  Tensor log_sum = call.numbers({z.maps, z.height, z.width});
  if (out.numel() > 0) {
    const Plan plan = call.plan(Pass::kForward);
    Tensor workspace = call.numbers({plan.workspace(Pass::kForward)});
    check(forward_cuda(call.cuda, plan, workspace.mutable_data_ptr(), out.mutable_data_ptr(),
                       log_sum.mutable_data_ptr()));
  }
  return {out, log_sum};
}

std::tuple<Tensor, Tensor, Tensor> st_attention_backward(const Tensor& grad_, const Tensor& query, const Tensor& key,
                                                         const Tensor& value, const Tensor& output,
                                                         const Tensor& log_sum_, double scale,
                                                         const std::optional<Tensor>& image_index, bool need_query,
                                                         bool need_key, bool need_value) {
  const torch::stable::accelerator::DeviceGuard guard(query.get_device_index());
  const Call call(query, key, value, scale, image_index);
  const Sizes& z = call.sizes;
  check_backward(grad_, query, output, log_sum_, z);
  const bool empty = output.numel() == 0;  // then keys and values get gradients of 0
  const auto make = [&](bool need, std::vector<int64_t> shape) {
    if (!need) shape = {0};
    return empty ? torch::stable::new_zeros(call.query, shape) : torch::stable::new_empty(call.query, shape);
  };
  Tensor query_grad = make(need_query, {z.maps, z.channels, z.height, z.width});
  Tensor key_grad = make(need_key, {z.sets, z.frames, z.channels, z.key_height, z.key_width});
  Tensor value_grad = make(need_value, {z.sets, z.frames, z.value_channels, z.key_height, z.key_width});
  if (empty || !(need_query || need_key || need_value)) return {query_grad, key_grad, value_grad};

  const Tensor grad = with_dense_maps(grad_), out = with_dense_maps(output);
  const Tensor log_sum = torch::stable::contiguous(log_sum_);
  const Planes<const void> grad_planes = map_planes(grad, grad.const_data_ptr());
  Tensor products = call.numbers({z.maps, z.height, z.width});
  check(products_cuda(call.cuda, grad_planes, map_planes(out, out.const_data_ptr()), products.mutable_data_ptr()));
  const BackwardInputs inputs{grad_planes, log_sum.const_data_ptr(), products.const_data_ptr()};
  const auto run = [&](Pass pass, Tensor& result) {
    if (result.numel() == 0) return;
    const Plan plan = call.plan(pass);
    Tensor workspace = call.numbers({plan.workspace(pass)});
    check(gradient_cuda(pass, call.cuda, plan, inputs, workspace.mutable_data_ptr(), result.mutable_data_ptr()));
  };
  run(Pass::kQueryGrad, query_grad);
  run(Pass::kKeyGrad, key_grad);
  run(Pass::kValueGrad, value_grad);
  return {query_grad, key_grad, value_grad};
}

}  // namespace

STABLE_TORCH_LIBRARY_IMPL(vis_projects, CUDA, m) {
  m.impl("st_attention", TORCH_BOX(&st_attention));
  m.impl("st_attention_backward", TORCH_BOX(&st_attention_backward));
}
