// The inside of a json list of run lengths -> run ends. For kernel.simd.cpp alone.
#pragma once

#include <cstdint>
#include <cstring>

#ifdef __SSE2__
#include <emmintrin.h>
#endif

#include "kernel.h"

namespace {

constexpr int64_t kChunk = 64;

// One bit per byte of a chunk of 64.
struct CharMasks {
  uint64_t digits, commas, blanks, zeros;
};

#ifdef __SSE2__
inline uint64_t sixteen_bits(__m128i mask) { return static_cast<uint32_t>(_mm_movemask_epi8(mask)); }

inline CharMasks classify(const uint8_t* p) {
  CharMasks m{};
  for (int k = 0; k < 4; ++k) {
    const __m128i c = _mm_loadu_si128(reinterpret_cast<const __m128i*>(p + 16 * k));
    const __m128i digit = _mm_sub_epi8(c, _mm_set1_epi8('0'));
    const __m128i blank = _mm_or_si128(
        _mm_or_si128(_mm_cmpeq_epi8(c, _mm_set1_epi8(' ')), _mm_cmpeq_epi8(c, _mm_set1_epi8('\n'))),
        _mm_or_si128(_mm_cmpeq_epi8(c, _mm_set1_epi8('\r')), _mm_cmpeq_epi8(c, _mm_set1_epi8('\t'))));
    m.digits |= sixteen_bits(_mm_cmpeq_epi8(_mm_min_epu8(digit, _mm_set1_epi8(9)), digit)) << (16 * k);
    m.commas |= sixteen_bits(_mm_cmpeq_epi8(c, _mm_set1_epi8(','))) << (16 * k);
    m.blanks |= sixteen_bits(blank) << (16 * k);
    m.zeros |= sixteen_bits(_mm_cmpeq_epi8(c, _mm_set1_epi8('0'))) << (16 * k);
  }
  return m;
}
#else
inline CharMasks classify(const uint8_t* p) {
  CharMasks m{};
  for (int k = 0; k < kChunk; ++k) {
    const uint8_t c = p[k];
    m.digits |= static_cast<uint64_t>(c >= '0' && c <= '9') << k;
    m.commas |= static_cast<uint64_t>(c == ',') << k;
    m.blanks |= static_cast<uint64_t>(c == ' ' || c == '\n' || c == '\r' || c == '\t') << k;
    m.zeros |= static_cast<uint64_t>(c == '0') << k;
  }
  return m;
}
#endif

// The decimal number of `digits` (1 to 8) characters that ends at `last`; the 8 bytes up to there are read.
inline uint32_t decimal(const uint8_t* last, int64_t digits) {
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
  uint64_t word;
  std::memcpy(&word, last - 7, 8);
  const int64_t foreign = 64 - 8 * digits;
  word = (word ^ 0x3030303030303030ULL) >> foreign << foreign;
  word = (word * 10 + (word >> 8)) & 0x00FF00FF00FF00FFULL;
  word = (word * 100 + (word >> 16)) & 0x0000FFFF0000FFFFULL;
  return static_cast<uint32_t>(word * 10000 + (word >> 32));
#else
  uint32_t value = 0;
  for (const uint8_t* p = last - digits + 1; p <= last; ++p) value = 10 * value + (*p - '0');
  return value;
#endif
}

inline vis::rle::Decoded decode_list(const uint8_t* text, int64_t length, int64_t pixels, uint32_t* ends) {
  const vis::rle::Decoded broken{-1, false};
  uint8_t padded[8 + kChunk];
  int64_t at = 0, count = 0, position = 0, empty = 0, commas = 0;
  while (at < length) {
    const uint8_t* p = text + at;
    const int64_t left = length - at;
    if (left < kChunk) {
      std::memset(padded, ' ', sizeof(padded));
      std::memcpy(padded, p - 8, 8 + left);
      p = padded + 8;
    }
    // a chunk stops short of a number that it may not hold in full, so it begins at a number or between two
    CharMasks m = classify(p);
    int64_t taken = left < kChunk ? left : kChunk;
    if (left > kChunk && m.digits >> 63) {
      taken = kChunk - __builtin_clzll(~m.digits | 1);
      if (taken == 1) return broken;
    }
    const uint64_t inside = taken == 64 ? ~uint64_t{0} : (uint64_t{1} << taken) - 1;
    m.digits &= inside;
    uint64_t starts = m.digits & ~(m.digits << 1), stops = m.digits & ~(m.digits >> 1);
    const bool leading_zero = starts & m.zeros & (m.digits >> 1);
    const uint64_t foreign = ~(m.digits | m.commas | m.blanks) & inside;
    m.commas &= inside;
    if (leading_zero || foreign || (m.commas & ~(stops << 1))) return broken;  // a comma that follows no number
    commas += __builtin_popcountll(m.commas);
    int64_t long_number = 0;
    for (; stops; starts &= starts - 1, stops &= stops - 1) {
      const int64_t last = __builtin_ctzll(stops), digits = last - __builtin_ctzll(starts) + 1;
      long_number |= 8 - digits;
      const int64_t run = digits <= 8 ? decimal(p + last, digits) : 0;
      position += run;
      empty += run == 0;
      ends[count++] = static_cast<uint32_t>(position);
    }
    if (long_number < 0) return broken;
    at += taken;
  }
  // as many commas as numbers but one, each at a number, and none behind the last: so all others have theirs
  if (position != pixels || commas != (count > 0 ? count - 1 : 0)) return broken;
  for (at = length; commas > 0 && at > 0 && (text[at - 1] < '0' || text[at - 1] > '9'); --at) {
    if (text[at - 1] == ',') return broken;
  }
  return {count, empty > (count > 0 && ends[0] == 0)};
}

}  // namespace
