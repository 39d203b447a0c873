// Common pixels of two masks, and the passes over dense rows behind encoding and decoding. For kernel.simd.cpp alone.
#pragma once

#include <cstdint>
#include <cstring>

#if VIS_LEVEL >= 3
#include <immintrin.h>
#elif defined(__SSE2__)
#include <emmintrin.h>
#endif

namespace {

// One pass over two lists of foreground intervals.
struct Sweep {
  const uint32_t* a;
  const uint32_t* b;
  const uint32_t* a_end;
  const uint32_t* b_end;
  int64_t common = 0;

  bool running() const { return (a < a_end) & (b < b_end); }

  // Adds what the two current intervals share and leaves the one that ends first; without a branch.
  void step() {
    const uint32_t begin = a[0] > b[0] ? a[0] : b[0];
    const uint32_t end = a[1] < b[1] ? a[1] : b[1];
    common += end > begin ? end - begin : 0;
    const bool leave_a = a[1] <= b[1];
    a += 2 * leave_a;
    b += 2 * !leave_a;
  }
};

// The first interval in [begin, end) that ends behind `position`.
inline const uint32_t* first_behind(const uint32_t* begin, const uint32_t* end, uint32_t position) {
  int64_t count = (end - begin) / 2;
  while (count > 0) {
    const int64_t half = count / 2;
    const bool right = begin[2 * half + 1] <= position;
    begin += right ? 2 * (half + 1) : 0;
    count = right ? count - half - 1 : half;
  }
  return begin;
}

// A step waits for the one before it, so four parts of `a` go side by side.
inline int64_t common_pixels(const uint32_t* a_ends, int64_t a_runs, const uint32_t* b_ends, int64_t b_runs) {
  const uint32_t *a = a_ends, *a_stop = a_ends + a_runs / 2 * 2, *b = b_ends, *b_stop = b_ends + b_runs / 2 * 2;
  if (a == a_stop || b == b_stop || a[0] >= b_stop[-1] || b[0] >= a_stop[-1]) return 0;
  a = first_behind(a, a_stop, b[0]);
  b = first_behind(b, b_stop, a[0]);
  a_stop = first_behind(a, a_stop, b_stop[-1]) + 2 < a_stop ? first_behind(a, a_stop, b_stop[-1]) + 2 : a_stop;
  constexpr int kParts = 4;
  const int64_t intervals = (a_stop - a) / 2;
  Sweep parts[kParts];
  for (int k = 0; k < kParts; ++k) {
    const uint32_t* from = a + 2 * (intervals * k / kParts);
    const uint32_t* to = a + 2 * (intervals * (k + 1) / kParts);
    parts[k] = {from, k == 0 ? b : first_behind(parts[k - 1].b, b_stop, from[0]), to, b_stop};
  }
  while (parts[0].running() & parts[1].running() & parts[2].running() & parts[3].running()) {
    for (Sweep& part : parts) part.step();
  }
  int64_t common = 0;
  for (Sweep& part : parts) {
    while (part.running()) part.step();
    common += part.common;
  }
  return common;
}

#if VIS_LEVEL >= 3
constexpr int64_t kRowBytes = 32;
inline uint32_t differing(const uint8_t* row, const uint8_t* above) {
  const __m256i zero = _mm256_setzero_si256();
  const __m256i a = _mm256_cmpeq_epi8(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(row)), zero);
  const __m256i b = _mm256_cmpeq_epi8(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(above)), zero);
  return static_cast<uint32_t>(_mm256_movemask_epi8(_mm256_xor_si256(a, b)));
}
#elif defined(__SSE2__)
constexpr int64_t kRowBytes = 16;
inline uint32_t differing(const uint8_t* row, const uint8_t* above) {
  const __m128i zero = _mm_setzero_si128();
  const __m128i a = _mm_cmpeq_epi8(_mm_loadu_si128(reinterpret_cast<const __m128i*>(row)), zero);
  const __m128i b = _mm_cmpeq_epi8(_mm_loadu_si128(reinterpret_cast<const __m128i*>(above)), zero);
  return static_cast<uint32_t>(_mm_movemask_epi8(_mm_xor_si128(a, b)));
}
#else
constexpr int64_t kRowBytes = 1;
inline uint32_t differing(const uint8_t* row, const uint8_t* above) { return (*row != 0) != (*above != 0); }
#endif

inline int64_t find_changes(const uint8_t* row, const uint8_t* above, int64_t width, uint32_t* columns) {
  int64_t count = 0, x = 0;
  for (; x + kRowBytes <= width; x += kRowBytes) {
    for (uint32_t bits = differing(row + x, above + x); bits; bits &= bits - 1) {
      columns[count++] = static_cast<uint32_t>(x + __builtin_ctz(bits));
    }
  }
  for (; x < width; ++x) {
    if ((row[x] != 0) != (above[x] != 0)) columns[count++] = static_cast<uint32_t>(x);
  }
  return count;
}

inline void xor_row(uint8_t* row, const uint8_t* above, int64_t width) {
  for (int64_t x = 0; x < width; ++x) row[x] ^= above[x];
}

}  // namespace
