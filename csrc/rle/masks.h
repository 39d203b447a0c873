// Masks between their notations: texts and lists -> run ends, run ends <-> dense, dense -> text. No torch headers here.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "kernel.h"

namespace vis::rle {

// How the runs of a mask are written in a buffer.
enum Notation : int64_t {
  kAbsent = 0,    // no mask; the other entries mean nothing
  kText = 1,      // compressed characters
  kJsonText = 2,  // the same inside a json string: each backslash doubled
  kJsonList = 3,  // the inside of a json list of run lengths
  kCounts = 4,    // run lengths as uint32
};

// A row of a mask table: where a mask stands in its buffer of bytes.
struct MaskRow {
  int64_t notation, height, width, begin, end;

  bool present() const { return notation != kAbsent; }
  bool same_size(const MaskRow& other) const { return height == other.height && width == other.width; }
};
constexpr int64_t kMaskColumns = 5;

// Run ends of one mask; `ends` keeps its room from mask to mask.
struct Mask {
  std::vector<uint32_t> ends;
  int64_t runs = 0;
  bool empty_run = false;

  int64_t area() const;
  // first and last column and row, x0 y0 x1 y1; false for a mask without a pixel
  bool box(int64_t height, int64_t bounds[4]) const;
};

// Reads masks out of a buffer; keeps working memory, so one reader serves one thread.
class MaskReader {
 public:
  MaskReader(const uint8_t* buffer, int64_t size) : buffer_(buffer), size_(size) {}

  // False where the row points outside the buffer, the size is none, or the runs are no mask of that size.
  bool read(const MaskRow& row, Mask& mask);

 private:
  // The characters with '0' around them, json's doubled backslashes made single; -1 where one stands alone.
  int64_t copy_text(const uint8_t* text, int64_t length, bool json);
  Decoded read_counts(const uint8_t* counts, int64_t length, int64_t pixels, uint32_t* ends) const;

  const uint8_t* buffer_;
  int64_t size_;
  std::vector<uint8_t> text_;
};

// Turns dense masks into text; keeps working memory.
class MaskWriter {
 public:
  // Appends COCO's text of a row-major (height, width) mask of at most kMaxPixels; any non-zero byte is foreground.
  void write(const uint8_t* mask, int64_t height, int64_t width, std::string& text);

 private:
  std::vector<uint32_t> columns_, row_begins_, column_begins_, changes_;
};

// Writes a mask over `dense`, (height, width) bytes that are 0.
void fill_dense(const Mask& mask, int64_t height, int64_t width, uint8_t* dense);

}  // namespace vis::rle
