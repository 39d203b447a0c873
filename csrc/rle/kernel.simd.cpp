// Run-length kernels of one instruction level: see text.h, list.h, pixels.h.
#include "kernel.h"

#include "list.h"
#include "pixels.h"
#include "text.h"

namespace vis::rle {

const Kernels& VIS_LEVELLED(kernels)() {
  static constexpr Kernels table{decode_text, decode_list, common_pixels, find_changes, xor_row};
  return table;
}

}  // namespace vis::rle
