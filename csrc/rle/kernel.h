// Run-length encoding of binary masks in COCO's compressed form. No torch headers here.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace vis::rle {

// Appends to `runs` the run lengths of one row-major (height, width) mask read in column-major order.
// The first run counts background and may be 0; the runs sum to height * width. Any non-zero byte is foreground.
void mask_to_runs(const uint8_t* mask, size_t height, size_t width, std::vector<uint8_t>& scratch,
                  std::vector<uint32_t>& runs);

// Appends COCO's ASCII form of `runs`: from the fourth run on the difference to the run two before,
// then 5 bits a character, least significant first, bit 5 set while more follow, offset 48.
void runs_to_string(const std::vector<uint32_t>& runs, std::string& out);

}  // namespace vis::rle
