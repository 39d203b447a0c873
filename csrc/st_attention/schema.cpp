// Schema of the spatial-temporal attention of vis_projects.
#include <torch/csrc/stable/library.h>

STABLE_TORCH_LIBRARY_FRAGMENT(vis_projects, m) {
  // query (B, d, H, W), key (S, T, d, H', W'), value (S, T, dv, H', W') -> output (B, dv, H, W) and (B, H, W), the
  // base-2 logarithm of each query's sum of exponentials, which the backward pass starts from
  m.def(
      "st_attention(Tensor query, Tensor key, Tensor value, float scale=1.0, Tensor? image_index=None) "
      "-> (Tensor, Tensor)");
  // gradients of query, key and value; one that is not needed comes back with no element
  m.def(
      "st_attention_backward(Tensor grad, Tensor query, Tensor key, Tensor value, Tensor output, Tensor log_sum, "
      "float scale, Tensor? image_index, bool need_query, bool need_key, bool need_value) -> (Tensor, Tensor, Tensor)");
}
