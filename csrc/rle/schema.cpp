// Schema of the run-length ops of vis_projects.
#include <torch/csrc/stable/library.h>

STABLE_TORCH_LIBRARY_FRAGMENT(vis_projects, m) {
  // masks (N, H, W) uint8 -> ASCII bytes of all N strings end to end (uint8), and N + 1 offsets into them (int64)
  m.def("rle_encode(Tensor masks) -> (Tensor, Tensor)");
}
