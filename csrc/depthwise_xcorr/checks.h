// Checks of the arguments that both registrations share, on torch's stable ABI.
#pragma once

#include <optional>

#include "common/tensors.h"
#include "sizes.h"

namespace vis::xcorr {

constexpr char kOp[] = "depthwise_xcorr";  // in messages

// Sizes of a call; throws unless shapes, dtypes and devices fit each other.
inline Sizes checked_sizes(const Tensor& search, const Tensor& filter, int64_t padding,
                           const std::optional<Tensor>& image_index) {
  STD_TORCH_CHECK(search.dim() == 4, "depthwise_xcorr: search must be (B, C, H, W), got ", search.dim(), " dimensions");
  STD_TORCH_CHECK(filter.dim() == 4, "depthwise_xcorr: template must be (N, C, h, w), got ", filter.dim(),
                  " dimensions");
  const Sizes z{search.size(0), filter.size(0), search.size(1), search.size(2), search.size(3),
                filter.size(2), filter.size(3), padding};
  STD_TORCH_CHECK(search.scalar_type() == filter.scalar_type(),
                  "depthwise_xcorr: search and template must have one dtype; cast one of them");
  STD_TORCH_CHECK(same_device(search, filter),
                  "depthwise_xcorr: search and template must be on one device");
  STD_TORCH_CHECK(filter.size(1) == z.channels, "depthwise_xcorr: search has ", z.channels, " channels, template ",
                  filter.size(1), "; they must be equal");
  STD_TORCH_CHECK(padding >= 0, "depthwise_xcorr: padding must be 0 or more, got ", padding);
  STD_TORCH_CHECK(z.rows >= 1 && z.columns >= 1, "depthwise_xcorr: template is empty: ", z.rows, " x ", z.columns);
  STD_TORCH_CHECK(z.out_height() >= 1 && z.out_width() >= 1, "depthwise_xcorr: template ", z.rows, " x ", z.columns,
                  " is larger than the padded search map ", z.height + 2 * padding, " x ", z.width + 2 * padding,
                  "; raise padding or crop the template");
  if (image_index) {
    STD_TORCH_CHECK(image_index->dim() == 1 && image_index->size(0) == z.count,
                    "depthwise_xcorr: image_index must have one entry for each of the ", z.count, " templates");
    STD_TORCH_CHECK(image_index->scalar_type() == ScalarType::Long, "depthwise_xcorr: image_index must be int64");
    STD_TORCH_CHECK(same_device(*image_index, search),
                    "depthwise_xcorr: image_index must be on the device of search");
  } else {
    STD_TORCH_CHECK(z.maps == 1 || z.maps == z.count, "depthwise_xcorr: search must have 1 map or one for each of the ",
                    z.count, " templates, got ", z.maps, "; give image_index for another assignment");
  }
  return z;
}

// Throws unless `grad` is the gradient of an output of these sizes and this dtype.
inline void check_gradient(const Tensor& grad, const Tensor& filter, const Sizes& z) {
  STD_TORCH_CHECK(grad.dim() == 4 && grad.size(0) == z.count && grad.size(1) == z.channels &&
                      grad.size(2) == z.out_height() && grad.size(3) == z.out_width(),
                  "depthwise_xcorr_backward: grad must have the shape of the output");
  STD_TORCH_CHECK(grad.scalar_type() == filter.scalar_type(),
                  "depthwise_xcorr_backward: grad must have the dtype of the output");
}

}  // namespace vis::xcorr
