// Checks of the arguments that both registrations share, on torch's stable ABI.
#pragma once

#include <optional>

#include "common/tensors.h"
#include "sizes.h"

namespace vis::attention {

constexpr char kOp[] = "st_attention";  // in messages

// Sizes of a call; throws unless shapes, dtypes and devices fit each other.
inline Sizes checked_sizes(const Tensor& query, const Tensor& key, const Tensor& value,
                           const std::optional<Tensor>& image_index) {
  STD_TORCH_CHECK(query.dim() == 4, "st_attention: query must be (B, d, H, W), got ", query.dim(), " dimensions");
  STD_TORCH_CHECK(key.dim() == 5, "st_attention: key must be (S, T, d, H', W'), got ", key.dim(), " dimensions");
  STD_TORCH_CHECK(value.dim() == 5, "st_attention: value must be (S, T, dv, H', W'), got ", value.dim(), " dimensions");
  const Sizes z{query.size(0), key.size(0), query.size(1), value.size(2), query.size(2), query.size(3),
                key.size(1), key.size(3), key.size(4)};
  STD_TORCH_CHECK(query.scalar_type() == key.scalar_type() && query.scalar_type() == value.scalar_type(),
                  "st_attention: query, key and value must have one dtype; cast them");
  STD_TORCH_CHECK(same_device(query, key) && same_device(query, value),
                  "st_attention: query, key and value must be on one device");
  STD_TORCH_CHECK(key.size(2) == z.channels, "st_attention: query has ", z.channels, " channels, key ", key.size(2),
                  "; they must be equal");
  STD_TORCH_CHECK(value.size(0) == z.sets && value.size(1) == z.frames && value.size(3) == z.key_height &&
                      value.size(4) == z.key_width,
                  "st_attention: value must have the sets, frames and size of key");
  STD_TORCH_CHECK(z.channels >= 1 && z.value_channels >= 1, "st_attention: query and value need a channel, got ",
                  z.channels, " and ", z.value_channels);
  STD_TORCH_CHECK(z.keys() >= 1, "st_attention: key has no position to attend to: T x H' x W' is ", z.frames, " x ",
                  z.key_height, " x ", z.key_width);
  if (image_index) {
    STD_TORCH_CHECK(image_index->dim() == 1 && image_index->size(0) == z.maps,
                    "st_attention: image_index must have one entry for each of the ", z.maps, " query maps");
    STD_TORCH_CHECK(image_index->scalar_type() == ScalarType::Long, "st_attention: image_index must be int64");
    STD_TORCH_CHECK(same_device(query, *image_index), "st_attention: image_index must be on the device of query");
  } else {
    STD_TORCH_CHECK(z.sets == 1 || z.sets == z.maps, "st_attention: key must have 1 set or as many as there are query ",
                    "maps (", z.maps, "), got ", z.sets, "; give image_index for another assignment");
  }
  return z;
}

// Throws unless these belong to a forward pass of these sizes.
inline void check_backward(const Tensor& grad, const Tensor& query, const Tensor& output, const Tensor& log_sum,
                           const Sizes& z) {
  for (const Tensor* tensor : {&grad, &output}) {
    STD_TORCH_CHECK(tensor->dim() == 4 && tensor->size(0) == z.maps && tensor->size(1) == z.value_channels &&
                        tensor->size(2) == z.height && tensor->size(3) == z.width,
                    "st_attention_backward: grad and output must have the shape of the output");
    STD_TORCH_CHECK(tensor->scalar_type() == query.scalar_type() && same_device(*tensor, query),
                    "st_attention_backward: grad and output must have the dtype and the device of query");
  }
  STD_TORCH_CHECK(log_sum.dim() == 3 && log_sum.size(0) == z.maps && log_sum.size(1) == z.height &&
                      log_sum.size(2) == z.width && same_device(log_sum, query),
                  "st_attention_backward: log_sum must be that of the forward pass");
  const ScalarType wanted = query.scalar_type() == ScalarType::Double ? ScalarType::Double : ScalarType::Float;
  STD_TORCH_CHECK(log_sum.scalar_type() == wanted, "st_attention_backward: log_sum must be that of the forward pass");
}

// The tensor, or a copy where the pixels of its maps are not next to each other.
inline Tensor with_dense_maps(const Tensor& tensor) {
  const int64_t last = tensor.dim() - 1;
  const bool rows = tensor.size(last) <= 1 || tensor.stride(last) == 1;
  const bool maps = tensor.size(last - 1) <= 1 || tensor.stride(last - 1) == tensor.size(last);
  return rows && maps ? tensor : torch::stable::contiguous(tensor);
}

// Of a (B, C, H, W) tensor.
template <class T>
Planes<T> map_planes(const Tensor& tensor, T* data) {
  return {data, tensor.stride(0), tensor.stride(1), 0};
}

// Of a (S, T, C, H', W') tensor.
template <class T>
Planes<T> frame_planes(const Tensor& tensor, T* data) {
  return {data, tensor.stride(1), tensor.stride(2), tensor.stride(0)};
}

}  // namespace vis::attention
