// Checks of the arguments that both registrations share, on torch's stable ABI.
#pragma once

#include <optional>

#include "common/tensors.h"
#include "sizes.h"

namespace vis::mask_head {

constexpr char kOp[] = "dynamic_mask_head";  // in messages

// Sizes of a call; throws unless shapes, dtypes and devices fit each other.
inline Sizes checked_sizes(const Tensor& mask_feats, const Tensor& params, const std::optional<Tensor>& locations,
                           const std::optional<Tensor>& soi, int64_t stride, const Tensor& im_inds) {
  STD_TORCH_CHECK(mask_feats.dim() == 4, "dynamic_mask_head: mask_feats must be (B, C, H, W), got ", mask_feats.dim(),
                  " dimensions");
  STD_TORCH_CHECK(params.dim() == 2, "dynamic_mask_head: params must be (N, P), got ", params.dim(), " dimensions");
  STD_TORCH_CHECK(locations.has_value() == soi.has_value(),
                  "dynamic_mask_head: give both locations and soi, or neither for a head without relative coordinates");
  const Sizes z{mask_feats.size(0), params.size(0), mask_feats.size(1), mask_feats.size(2),
                mask_feats.size(3), stride,         locations ? 2 : 0};
  STD_TORCH_CHECK(z.channels >= 1 && z.channels <= kMaxChannels, "dynamic_mask_head: mask_feats must have 1 to ",
                  kMaxChannels, " channels, got ", z.channels);
  STD_TORCH_CHECK(params.size(1) == z.params(), "dynamic_mask_head: params must have ", z.params(), " columns for ",
                  z.channels, " channels", z.coords ? " with" : " without", " relative coordinates, got ",
                  params.size(1));
  STD_TORCH_CHECK(mask_feats.scalar_type() == params.scalar_type(),
                  "dynamic_mask_head: mask_feats and params must have one dtype; cast one of them");
  STD_TORCH_CHECK(stride >= 1, "dynamic_mask_head: stride must be 1 or more, got ", stride);
  STD_TORCH_CHECK(im_inds.dim() == 1 && im_inds.size(0) == z.count && im_inds.scalar_type() == ScalarType::Long,
                  "dynamic_mask_head: im_inds must be int64 with one entry for each of the ", z.count, " instances");
  STD_TORCH_CHECK(same_device(mask_feats, params) && same_device(mask_feats, im_inds),
                  "dynamic_mask_head: mask_feats, params and im_inds must be on one device");
  STD_TORCH_CHECK(z.images > 0 || z.count == 0, "dynamic_mask_head: mask_feats has no image for ", z.count,
                  " instances");
  if (locations) {
    STD_TORCH_CHECK(locations->dim() == 2 && locations->size(0) == z.count && locations->size(1) == 2,
                    "dynamic_mask_head: locations must be (", z.count, ", 2)");
    STD_TORCH_CHECK(soi->dim() == 1 && soi->size(0) == z.count, "dynamic_mask_head: soi must be (", z.count, ",)");
    STD_TORCH_CHECK(same_device(mask_feats, *locations) && same_device(mask_feats, *soi),
                    "dynamic_mask_head: locations and soi must be on the device of mask_feats");
  }
  return z;
}

// Throws unless `grad` is the gradient of an output of these sizes and this dtype.
inline void check_gradient(const Tensor& grad, const Tensor& params, const Sizes& z) {
  STD_TORCH_CHECK(grad.dim() == 4 && grad.size(0) == z.count && grad.size(1) == 1 && grad.size(2) == z.height &&
                      grad.size(3) == z.width,
                  "dynamic_mask_head_backward: grad must have the shape of the output");
  STD_TORCH_CHECK(grad.scalar_type() == params.scalar_type() && same_device(grad, params),
                  "dynamic_mask_head_backward: grad must have the dtype and the device of the output");
}

}  // namespace vis::mask_head
