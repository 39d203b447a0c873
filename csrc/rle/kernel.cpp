// Run-length encoding of binary masks: blocked transpose to column-major bytes, then a scan by 8-byte words.
#include "kernel.h"

#include <algorithm>
#include <cstring>

namespace vis::rle {

namespace {

constexpr size_t kBlock = 32;

// Column-major 0/1 copy of a row-major mask; blocks keep both sides in the first-level cache.
void transpose_to_binary(const uint8_t* mask, size_t height, size_t width, uint8_t* columns) {
  for (size_t x0 = 0; x0 < width; x0 += kBlock) {
    const size_t x1 = std::min(x0 + kBlock, width);
    for (size_t y0 = 0; y0 < height; y0 += kBlock) {
      const size_t y1 = std::min(y0 + kBlock, height);
      for (size_t x = x0; x < x1; ++x) {
        uint8_t* column = columns + x * height;
        for (size_t y = y0; y < y1; ++y) column[y] = mask[y * width + x] != 0;
      }
    }
  }
}

// First index >= begin whose byte differs from `value`; `end` if there is none.
size_t find_change(const uint8_t* bytes, size_t begin, size_t end, uint8_t value) {
  const uint64_t pattern = value ? 0x0101010101010101ULL : 0ULL;
  size_t i = begin;
  for (; i + 8 <= end; i += 8) {
    uint64_t word;
    std::memcpy(&word, bytes + i, 8);
    if (word != pattern) break;
  }
  while (i < end && bytes[i] == value) ++i;
  return i;
}

}  // namespace

void mask_to_runs(const uint8_t* mask, size_t height, size_t width, std::vector<uint8_t>& scratch,
                  std::vector<uint32_t>& runs) {
  const size_t size = height * width;
  scratch.resize(size);
  transpose_to_binary(mask, height, width, scratch.data());
  uint8_t value = 0;
  size_t begin = 0;
  do {
    const size_t end = find_change(scratch.data(), begin, size, value);
    runs.push_back(static_cast<uint32_t>(end - begin));
    begin = end;
    value ^= 1;
  } while (begin < size);
}

void runs_to_string(const std::vector<uint32_t>& runs, std::string& out) {
  for (size_t i = 0; i < runs.size(); ++i) {
    int64_t rest = runs[i];
    if (i > 2) rest -= runs[i - 2];
    bool more = true;
    while (more) {
      int64_t bits = rest & 31;
      rest >>= 5;  // arithmetic shift: a negative difference ends in -1
      more = (bits & 16) ? rest != -1 : rest != 0;
      if (more) bits |= 32;
      out.push_back(static_cast<char>(bits + 48));
    }
  }
}

}  // namespace vis::rle
