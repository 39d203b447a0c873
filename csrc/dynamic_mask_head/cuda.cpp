// CUDA registration of the dynamic mask head on torch's stable ABI.
#include <torch/csrc/stable/accelerator.h>
#include <torch/csrc/stable/library.h>

#include <optional>
#include <tuple>

#include "checks.h"
#include "common/cuda_call.h"
#include "kernel_cuda.h"

namespace {

using namespace vis;
using vis::mask_head::Real;
using vis::mask_head::Sizes;
using vis::mask_head::kOp;

Real real_of(const Tensor& tensor) {
  const ScalarType type = tensor.scalar_type();
  return type == ScalarType::Double ? Real::kDouble : type == ScalarType::Long ? Real::kInt64 : Real::kFloat;
}

// Contiguous float32, float64 or int64, the types of places that the kernels read.
Tensor readable(const Tensor& tensor) {
  const ScalarType type = tensor.scalar_type();
  const bool known = type == ScalarType::Float || type == ScalarType::Double || type == ScalarType::Long;
  return torch::stable::contiguous(known ? tensor : torch::stable::to(tensor, ScalarType::Double));
}

void check(int error) { check_launch(error, kOp); }

// The inputs of a call as the kernels take them.
struct Call {
  Sizes sizes;
  Tensor feats, params, im_inds;
  std::optional<Tensor> locations, soi;

  Call(const Tensor& feats_, const Tensor& params_, const std::optional<Tensor>& locations_,
       const std::optional<Tensor>& soi_, int64_t stride, const Tensor& im_inds_)
      : sizes(vis::mask_head::checked_sizes(feats_, params_, locations_, soi_, stride, im_inds_)),
        feats(torch::stable::contiguous(feats_)), params(torch::stable::contiguous(params_)),
        im_inds(torch::stable::contiguous(im_inds_)) {
    if (locations_) locations = readable(*locations_), soi = readable(*soi_);
  }

  vis::mask_head::CudaHead head() const {
    return {sizes,
            element_of(feats, kOp),
            feats.const_data_ptr(),
            params.const_data_ptr(),
            locations ? locations->const_data_ptr() : nullptr,
            soi ? soi->const_data_ptr() : nullptr,
            locations ? real_of(*locations) : Real::kFloat,
            soi ? real_of(*soi) : Real::kFloat,
            static_cast<const int64_t*>(im_inds.const_data_ptr())};
  }
};

Tensor dynamic_mask_head(const Tensor& feats, const Tensor& params, const std::optional<Tensor>& locations,
                         const std::optional<Tensor>& soi, int64_t stride, const Tensor& im_inds) {
  const torch::stable::accelerator::DeviceGuard guard(feats.get_device_index());
  const Call call(feats, params, locations, soi, stride, im_inds);
  const Sizes& z = call.sizes;
  Tensor out = torch::stable::new_empty(call.feats, {z.count, 1, z.height, z.width});
  const vis::mask_head::CudaHead head = call.head();
  if (out.numel() > 0)
    check(vis::mask_head::launch_forward(head, out.mutable_data_ptr(), current_stream(feats)));
  return out;
}

std::tuple<Tensor, Tensor> dynamic_mask_head_backward(const Tensor& grad_, const Tensor& feats, const Tensor& params,
                                                      const std::optional<Tensor>& locations,
                                                      const std::optional<Tensor>& soi, int64_t stride,
                                                      const Tensor& im_inds, bool need_feats, bool need_params) {
  const torch::stable::accelerator::DeviceGuard guard(feats.get_device_index());
  const Call call(feats, params, locations, soi, stride, im_inds);
  const Sizes& z = call.sizes;
  vis::mask_head::check_gradient(grad_, params, z);
  const Tensor grad = torch::stable::contiguous(grad_);
  Tensor feats_grad = empty_if(need_feats, call.feats, {z.images, z.channels, z.height, z.width});
  Tensor params_grad = empty_if(need_params, call.feats, {z.count, z.params()});
  if (z.count == 0 || z.pixels() == 0) {
    torch::stable::zero_(feats_grad);
    torch::stable::zero_(params_grad);
    return {feats_grad, params_grad};
  }
  const bool want_feats = feats_grad.numel() > 0, want_params = params_grad.numel() > 0;
  if (!want_feats && !want_params) return {feats_grad, params_grad};
  const vis::mask_head::CudaHead head = call.head();
  const bool in_double = head.element == Element::kDouble;
  const vis::mask_head::BackwardPlan plan = vis::mask_head::backward_plan(z, in_double);
  const ScalarType sums = in_double ? ScalarType::Double : ScalarType::Float;
  Tensor feats_shares = torch::stable::new_empty(call.feats, {want_feats ? plan.feats_shares(z) : 0}, sums);
  Tensor params_shares = torch::stable::new_empty(call.feats, {want_params ? plan.params_shares(z) : 0}, sums);
  check(vis::mask_head::launch_backward(head, plan, grad.const_data_ptr(),
                                        want_feats ? feats_grad.mutable_data_ptr() : nullptr,
                                        want_params ? params_grad.mutable_data_ptr() : nullptr,
                                        feats_shares.mutable_data_ptr(), params_shares.mutable_data_ptr(),
                                        current_stream(feats)));
  return {feats_grad, params_grad};
}

}  // namespace

STABLE_TORCH_LIBRARY_IMPL(vis_projects, CUDA, m) {
  m.impl("dynamic_mask_head", TORCH_BOX(&dynamic_mask_head));
  m.impl("dynamic_mask_head_backward", TORCH_BOX(&dynamic_mask_head_backward));
}
