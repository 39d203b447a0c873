// Checks of the arguments that both registrations share, on torch's stable ABI.
#pragma once

#include <optional>

#include "common/tensors.h"
#include "sizes.h"

namespace vis::correlation {

constexpr char kOp[] = "local_correlation";  // in messages

// Sizes of a call; throws unless shapes, dtypes, devices and numbers fit each other.
inline Sizes checked_sizes(const Tensor& a, const Tensor& b, int64_t patch_size, int64_t dilation,
                           double negative_slope) {
  STD_TORCH_CHECK(a.dim() == 4 && b.dim() == 4, "local_correlation: a and b must be (N, C, H, W), got ", a.dim(),
                  " and ", b.dim(), " dimensions");
  for (int64_t k = 0; k < 4; ++k)
    STD_TORCH_CHECK(a.size(k) == b.size(k), "local_correlation: a and b must have one shape, but dimension ", k, " is ",
                    a.size(k), " and ", b.size(k));
  STD_TORCH_CHECK(a.scalar_type() == b.scalar_type(),
                  "local_correlation: a and b must have one dtype; cast one of them");
  STD_TORCH_CHECK(same_device(a, b),
                  "local_correlation: a and b must be on one device");
  STD_TORCH_CHECK(a.size(1) >= 1, "local_correlation: a and b have no channel");
  STD_TORCH_CHECK(patch_size >= 1 && patch_size % 2 == 1,
                  "local_correlation: patch_size must be odd and 1 or more, got ", patch_size);
  STD_TORCH_CHECK(dilation >= 1, "local_correlation: dilation must be 1 or more, got ", dilation);
  STD_TORCH_CHECK(negative_slope >= 0, "local_correlation: negative_slope must be 0 or more, got ", negative_slope);
  const int64_t longest = a.size(2) > a.size(3) ? a.size(2) : a.size(3);
  const int64_t farthest = longest > 1 ? longest : 1;
  return {a.size(0), a.size(1), a.size(2), a.size(3), patch_size / 2, dilation < farthest ? dilation : farthest};
}

// Throws unless `grad`, and `out` where the slope asks for it, have the shape and dtype of the output.
inline void check_gradient(const Tensor& grad, const std::optional<Tensor>& out, const Tensor& a, const Sizes& z,
                           double negative_slope) {
  STD_TORCH_CHECK(negative_slope == 1 || out.has_value(),
                  "local_correlation_backward: a negative_slope other than 1 needs out, the output of the forward "
                  "pass");
  for (const Tensor* tensor : {&grad, out && negative_slope != 1 ? &*out : &grad}) {
    STD_TORCH_CHECK(tensor->dim() == 4 && tensor->size(0) == z.count && tensor->size(1) == z.patch() * z.patch() &&
                        tensor->size(2) == z.height && tensor->size(3) == z.width,
                    "local_correlation_backward: grad and out must have the shape of the output");
    STD_TORCH_CHECK(tensor->scalar_type() == a.scalar_type(),
                    "local_correlation_backward: grad and out must have the dtype of the output");
    STD_TORCH_CHECK(same_device(*tensor, a),
                    "local_correlation_backward: grad and out must be on the device of a");
  }
}

}  // namespace vis::correlation
