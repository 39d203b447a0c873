// Schema of the ops behind the evaluation of tracks.
#include <torch/csrc/stable/library.h>

STABLE_TORCH_LIBRARY_FRAGMENT(vis_projects, m) {
  // The bytes of a YouTube-VIS json (uint8) -> tables, rows as scan.h defines them. The first result is -1, or the
  // position at which the content leaves the plain form; the tables are empty then.
  // ground truth: videos (V, 4), categories (K, 3), annotations (G, 6), mean areas (G,) float64, masks (N, 5)
  m.def("ytvis_scan_truth(Tensor json) -> (int, Tensor, Tensor, Tensor, Tensor, Tensor)");
  // results: tracks (D, 4), scores (D,) float64, masks (N, 5)
  m.def("ytvis_scan_results(Tensor json) -> (int, Tensor, Tensor, Tensor)");
  // Each side: buffer and mask table as in rle ops, tracks (D or G, 2) with first mask and number of frames. cells
  // (C, 5): ranges of detections and of annotations, first overlap; every track is in one cell. -> whether all masks
  // are in order and without empty runs, overlaps float64, areas (D, 2) and (G, 2): pixels, frames with pixels.
  m.def(
      "track_overlaps(Tensor d_buffer, Tensor d_masks, Tensor d_tracks, Tensor g_buffer, Tensor g_masks, "
      "Tensor g_tracks, Tensor cells) -> (bool, Tensor, Tensor, Tensor)");
  // mean areas float64 (D,) and (G,), flags uint8 (G,): 1 crowd, 2 a match counts as none; thresholds (T,), ranges
  // (A, 2) -> matched and ignored, bool (A, T, D), and annotations that count, int64 (C, A)
  m.def(
      "match_tracks(Tensor ious, Tensor cells, Tensor d_areas, Tensor g_areas, Tensor g_flags, Tensor thresholds, "
      "Tensor ranges) -> (Tensor, Tensor, Tensor)");
  // scores (D,), order: detections by category and descending score, rank (D,) in the cell, category_begin (K + 1,)
  // into order, num_truth (K, A), cuts (M,), points (R,) -> precision (K, A, M, T, R), recall (K, A, M, T), scores as
  // precision
  m.def(
      "accumulate_tracks(Tensor matched, Tensor ignored, Tensor scores, Tensor order, Tensor rank, "
      "Tensor category_begin, Tensor num_truth, Tensor cuts, Tensor points) -> (Tensor, Tensor, Tensor)");
}
