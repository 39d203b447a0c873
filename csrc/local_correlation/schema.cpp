// Schema of the local correlation of vis_projects.
#include <torch/csrc/stable/library.h>

STABLE_TORCH_LIBRARY_FRAGMENT(vis_projects, m) {
  // a, b (N, C, H, W) -> (N, patch_size^2, H, W), shifts of b row by row
  m.def(
      "local_correlation(Tensor a, Tensor b, int patch_size, int dilation=1, bool normalize=False, "
      "float negative_slope=1.0) -> Tensor");
  // gradients of a and of b; one that is not needed comes back with no element. `out` is read for a slope other than 1
  m.def(
      "local_correlation_backward(Tensor grad, Tensor a, Tensor b, Tensor? out, int patch_size, int dilation, "
      "bool normalize, float negative_slope, bool need_a, bool need_b) -> (Tensor, Tensor)");
}
