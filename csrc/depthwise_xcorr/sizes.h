// Sizes of one depth-wise cross-correlation, the same for CPU and CUDA. No torch headers here.
#pragma once

#include <cstdint>

namespace vis::xcorr {

// Letters: B search maps, N templates, C channels, H x W a search map, h x w a template.
// The functions are constexpr so that CUDA code may call them.
struct Sizes {
  int64_t maps;
  int64_t count;
  int64_t channels;
  int64_t height, width;
  int64_t rows, columns;  // of a template
  int64_t padding;        // zeros around a search map, on each side

  constexpr int64_t out_height() const { return height + 2 * padding - rows + 1; }
  constexpr int64_t out_width() const { return width + 2 * padding - columns + 1; }
};

}  // namespace vis::xcorr
