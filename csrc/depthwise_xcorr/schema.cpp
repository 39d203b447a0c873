// Schema of the depth-wise cross-correlation of vis_projects.
#include <torch/csrc/stable/library.h>

STABLE_TORCH_LIBRARY_FRAGMENT(vis_projects, m) {
  // search (B, C, H, W), template (N, C, h, w) -> (N, C, H + 2 padding - h + 1, W + 2 padding - w + 1)
  m.def("depthwise_xcorr(Tensor search, Tensor template, int padding=0, Tensor? image_index=None) -> Tensor");
  // gradients of search and of template; one that is not needed comes back with no element
  m.def(
      "depthwise_xcorr_backward(Tensor grad, Tensor search, Tensor template, int padding, Tensor? image_index, "
      "bool need_search, bool need_template) -> (Tensor, Tensor)");
}
