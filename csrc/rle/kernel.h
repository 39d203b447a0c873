// Run-length kernels: reading, comparing and writing masks in COCO's run-length form. No torch headers here.
//
// A mask is kept as run ends: the pixels, in column-major order, at which its runs end. Runs alternate, background
// first, so foreground interval k is [ends[2k], ends[2k + 1]). The last end is the number of pixels.
#pragma once

#include <cstdint>

#include "common/cpu_level.h"

namespace vis::rle {

// Masks of more pixels are left to the references: their run lengths may need more than six characters, where
// pycocotools itself overflows.
constexpr int64_t kMaxPixels = (int64_t{1} << 29) - 1;

// What decode_text may read before and behind the characters. The byte before them must be '0', those behind '0'.
constexpr int64_t kTextBefore = 16, kTextBehind = 64;
// What decode_text and decode_list may write behind the last run end.
constexpr int64_t kEndsBehind = 16;

struct Decoded {
  int64_t runs;    // number of runs, or -1: this is no mask of that many pixels
  bool empty_run;  // a run of length 0 behind the first one, which no encoder writes
};

struct Kernels {
  // COCO's compressed characters -> run ends. `ends` has room for `length` + kEndsBehind.
  Decoded (*decode_text)(const uint8_t* text, int64_t length, int64_t pixels, uint32_t* ends);
  // The inside of a json list of run lengths -> run ends; every number must be followed by its comma at once. 8 bytes
  // before `text` may be read, nothing behind `length`. `ends` has room for `length` / 2 + kEndsBehind.
  Decoded (*decode_list)(const uint8_t* text, int64_t length, int64_t pixels, uint32_t* ends);
  // Foreground pixels that two masks of one size have in common.
  int64_t (*common_pixels)(const uint32_t* a, int64_t a_runs, const uint32_t* b, int64_t b_runs);
  // The columns in which two rows differ as masks (any non-zero byte is foreground), ascending -> their number.
  int64_t (*find_changes)(const uint8_t* row, const uint8_t* above, int64_t width, uint32_t* columns);
  // row ^= above
  void (*xor_row)(uint8_t* row, const uint8_t* above, int64_t width);
};

VIS_DECLARE_KERNELS(const Kernels&, kernels);

}  // namespace vis::rle
