// Schema of the run-length ops of vis_projects.
//
// Where ops take masks as (buffer, rows): `buffer` is uint8, `rows` int64 (N, 5) with notation, height, width, first
// byte and end of each mask in it, as masks.h defines them. A mask whose runs are broken is an error with its index.
#include <torch/csrc/stable/library.h>

STABLE_TORCH_LIBRARY_FRAGMENT(vis_projects, m) {
  // masks (N, H, W) uint8 or bool -> ASCII bytes of all N texts end to end (uint8), and N + 1 offsets into them (int64)
  m.def("rle_encode(Tensor masks) -> (Tensor, Tensor)");
  // masks of one size -> (N, H, W) bool
  m.def("rle_decode(Tensor buffer, Tensor rows) -> Tensor");
  // -> foreground pixels, int64 (N,)
  m.def("rle_area(Tensor buffer, Tensor rows) -> Tensor");
  // -> int64 (N, 4): x0 y0 x1 y1 in pixels, the ends exclusive; zeros for a mask without a pixel
  m.def("rle_boxes(Tensor buffer, Tensor rows) -> Tensor");
  // masks of one size -> float64 (A, B)
  m.def("rle_iou(Tensor a_buffer, Tensor a_rows, Tensor b_buffer, Tensor b_rows) -> Tensor");
}
