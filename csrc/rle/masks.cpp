// See masks.h.
//
// Dense masks are row-major and runs are column-major. Instead of turning a mask round, encoding looks for the pixels
// that differ from the one above, a whole row at a time, and sorts those few by column; decoding marks them and then
// lets each row change the one below.
#include "masks.h"

#include <cstring>

namespace vis::rle {

namespace {

const Kernels& current_kernels() { return VIS_KERNELS(vis::rle, kernels)(); }

// Appends one number in base 32, low digits first.
void append_number(int64_t value, std::string& text) {
  for (;;) {
    const int64_t digit = value & 31;
    value >>= 5;  // a negative one ends in -1
    if (value == ((digit & 16) ? -1 : 0)) {
      text.push_back(static_cast<char>(48 + digit));
      return;
    }
    text.push_back(static_cast<char>(48 + 32 + digit));
  }
}

}  // namespace

int64_t Mask::area() const {
  int64_t sum = 0;
  for (int64_t k = 1; k < runs; k += 2) sum += ends[k] - ends[k - 1];
  return sum;
}

bool Mask::box(int64_t height, int64_t bounds[4]) const {
  bool found = false;
  int64_t x0 = 0, y0 = height, x1 = 0, y1 = 0;
  for (int64_t k = 1; k < runs; k += 2) {
    if (ends[k] == ends[k - 1]) continue;
    const int64_t first = ends[k - 1], last = ends[k] - 1;
    const int64_t left = first / height, right = last / height;
    const int64_t top = left == right ? first % height : 0, bottom = left == right ? last % height : height - 1;
    if (!found) x0 = left;
    found = true;
    x1 = right;
    if (top < y0) y0 = top;
    if (bottom > y1) y1 = bottom;
  }
  bounds[0] = x0, bounds[1] = y0, bounds[2] = x1, bounds[3] = y1;
  return found;
}

bool MaskReader::read(const MaskRow& row, Mask& mask) {
  mask.runs = 0;
  mask.empty_run = false;
  if (row.begin < 0 || row.end < row.begin || row.end > size_) return false;
  if (row.height < 0 || row.width < 0 || (row.width > 0 && row.height > kMaxPixels / row.width)) return false;
  const int64_t pixels = row.height * row.width, length = row.end - row.begin;
  const uint8_t* source = buffer_ + row.begin;
  if (mask.ends.size() < static_cast<size_t>(length + kEndsBehind)) mask.ends.resize(length + length / 2 + kEndsBehind);
  Decoded decoded{-1, false};
  if (row.notation == kText || row.notation == kJsonText) {
    const int64_t characters = copy_text(source, length, row.notation == kJsonText);
    if (characters < 0) return false;
    decoded = current_kernels().decode_text(text_.data() + kTextBefore, characters, pixels, mask.ends.data());
  } else if (row.notation == kJsonList) {
    if (row.begin < 8) return false;
    decoded = current_kernels().decode_list(source, length, pixels, mask.ends.data());
  } else if (row.notation == kCounts) {
    decoded = read_counts(source, length, pixels, mask.ends.data());
  }
  if (decoded.runs < 0) return false;
  mask.runs = decoded.runs;
  mask.empty_run = decoded.empty_run;
  return true;
}

int64_t MaskReader::copy_text(const uint8_t* text, int64_t length, bool json) {
  const size_t room = kTextBefore + length + kTextBehind;
  if (text_.size() < room) {
    text_.resize(room + room / 2);
    std::memset(text_.data(), '0', kTextBefore);
  }
  uint8_t* to = text_.data() + kTextBefore;
  const uint8_t* end = text + length;
  while (text < end) {
    const void* found = json ? std::memchr(text, '\\', end - text) : nullptr;
    const uint8_t* stop = found ? static_cast<const uint8_t*>(found) + 1 : end;  // the backslash itself is copied
    std::memcpy(to, text, stop - text);
    to += stop - text;
    text = stop;
    if (found && (text == end || *text++ != '\\')) return -1;
  }
  std::memset(to, '0', kTextBehind);
  return to - (text_.data() + kTextBefore);
}

Decoded MaskReader::read_counts(const uint8_t* counts, int64_t length, int64_t pixels, uint32_t* ends) const {
  const int64_t runs = length / 4;
  int64_t position = 0;
  bool empty_run = false;
  for (int64_t k = 0; k < runs; ++k) {
    uint32_t run;
    std::memcpy(&run, counts + 4 * k, 4);
    if (run > pixels - position) return {-1, false};
    position += run;
    empty_run |= run == 0 && k > 0;
    ends[k] = static_cast<uint32_t>(position);
  }
  return position == pixels && length % 4 == 0 ? Decoded{runs, empty_run} : Decoded{-1, false};
}

void MaskWriter::write(const uint8_t* mask, int64_t height, int64_t width, std::string& text) {
  const Kernels& kernels = current_kernels();
  const int64_t pixels = height * width;
  // the columns at which each row changes against the one above; the first row against the end of the column before
  int64_t found = 0;
  row_begins_.assign(height + 1, 0);
  if (columns_.size() < static_cast<size_t>(width)) columns_.resize(width);
  const uint8_t* last_row = mask + (height - 1) * width;
  for (int64_t x = 0; x < width && height > 0; ++x) {
    if ((mask[x] != 0) != (x > 0 && last_row[x - 1] != 0)) columns_[found++] = static_cast<uint32_t>(x);
  }
  for (int64_t y = 1; y < height; ++y) {
    row_begins_[y] = static_cast<uint32_t>(found);
    if (columns_.size() < static_cast<size_t>(found + width)) columns_.resize(2 * found + width);
    found += kernels.find_changes(mask + y * width, mask + (y - 1) * width, width, columns_.data() + found);
  }
  row_begins_[height] = static_cast<uint32_t>(found);
  // sorted by column; within a column the rows are in order already
  column_begins_.assign(width + 1, 0);
  for (int64_t k = 0; k < found; ++k) ++column_begins_[columns_[k] + 1];
  for (int64_t x = 0; x < width; ++x) column_begins_[x + 1] += column_begins_[x];
  changes_.resize(found);
  for (int64_t y = 0; y < height; ++y) {
    for (int64_t k = row_begins_[y]; k < row_begins_[y + 1]; ++k) {
      const uint32_t x = columns_[k];
      changes_[column_begins_[x]++] = static_cast<uint32_t>(x * height + y);
    }
  }
  int64_t begin = 0, before_last = 0, last = 0;
  for (int64_t k = 0; k <= found; ++k) {
    const int64_t end = k < found ? changes_[k] : pixels, run = end - begin;
    append_number(k > 2 ? run - before_last : run, text);
    begin = end, before_last = last, last = run;
  }
}

void fill_dense(const Mask& mask, int64_t height, int64_t width, uint8_t* dense) {
  for (int64_t k = 1; k < mask.runs; k += 2) {
    const int64_t begin = mask.ends[k - 1], end = mask.ends[k];
    if (begin == end) continue;
    dense[begin % height * width + begin / height] ^= 1;
    int64_t column = begin / height + 1;
    for (; column * height < end; ++column) dense[column] ^= 1;  // goes on at the top of the next column
    if (end % height) dense[end % height * width + end / height] ^= 1;
  }
  const Kernels& kernels = current_kernels();
  for (int64_t y = 1; y < height; ++y) kernels.xor_row(dense + y * width, dense + (y - 1) * width, width);
}

}  // namespace vis::rle
