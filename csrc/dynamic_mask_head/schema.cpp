// Schema of the dynamic mask head of vis_projects.
#include <torch/csrc/stable/library.h>

STABLE_TORCH_LIBRARY_FRAGMENT(vis_projects, m) {
  // mask_feats (B, C, H, W), params (N, P), locations (N, 2), soi (N,), im_inds (N,) -> (N, 1, H, W)
  m.def(
      "dynamic_mask_head(Tensor mask_feats, Tensor params, Tensor? locations, Tensor? soi, int stride, "
      "Tensor im_inds) -> Tensor");
  // gradients of mask_feats and of params; one that is not needed comes back with no element
  m.def(
      "dynamic_mask_head_backward(Tensor grad, Tensor mask_feats, Tensor params, Tensor? locations, Tensor? soi, "
      "int stride, Tensor im_inds, bool need_mask_feats, bool need_params) -> (Tensor, Tensor)");
}
