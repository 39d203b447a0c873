// Compressed run-length characters -> run ends. For kernel.simd.cpp alone.
//
// A number is written in base 32, low digits first, one character a digit: 48 + digit, plus 32 while more follow;
// bit 16 of the last digit is the sign. From the fourth run on the difference to the run two before is written. Nearly
// all numbers have one or two characters: those are taken sixteen characters at a time, longer ones one by one.
#pragma once

#include <cstdint>
#include <cstring>

#if VIS_LEVEL >= 3
#include <immintrin.h>
#elif defined(__SSE2__)
#include <emmintrin.h>
#endif

#include "kernel.h"

namespace {

constexpr int kMaxDigits = 6;  // 30 bits with the sign: a difference of two runs of at most kMaxPixels

// The number at `p`, which is moved behind it; false where it has a foreign character, too many or no last one.
inline bool read_number(const uint8_t*& p, const uint8_t* end, int32_t& value) {
  int64_t sum = 0;
  for (int digits = 0; digits < kMaxDigits && p < end; ++digits) {
    const uint32_t code = static_cast<uint32_t>(*p++) - 48;
    if (code > 63) return false;
    sum |= static_cast<int64_t>(code & 31) << (5 * digits);
    if (!(code & 32)) {
      if (code & 16) sum -= int64_t{1} << (5 * digits + 5);
      value = static_cast<int32_t>(sum);
      return true;
    }
  }
  return false;
}

// Numbers from the one that `chunk` lies in or begins with, until `stop` is reached; `chunk` is moved behind the last.
inline bool read_singly(const uint8_t* begin, const uint8_t* end, const uint8_t* stop, const uint8_t*& chunk,
                        int32_t*& out) {
  const uint8_t* p = chunk;
  while (p > begin && ((p[-1] - 48) & 32)) {
    if (chunk - --p >= kMaxDigits) return false;
  }
  do {
    if (!read_number(p, end, *out)) return false;
    ++out;
  } while (p < stop && p < end);
  chunk = p;
  return true;
}

#if VIS_LEVEL >= 3

// shuffle[m]: moves the 16-bit lanes whose bit is set in m to the front.
struct FrontLanes {
  alignas(16) uint8_t shuffle[256][16];
};

constexpr FrontLanes make_front_lanes() {
  FrontLanes table{};
  for (int mask = 0; mask < 256; ++mask) {
    int filled = 0;
    for (int lane = 0; lane < 8; ++lane) {
      if (!(mask >> lane & 1)) continue;
      table.shuffle[mask][filled++] = static_cast<uint8_t>(2 * lane);
      table.shuffle[mask][filled++] = static_cast<uint8_t>(2 * lane + 1);
    }
    while (filled < 16) table.shuffle[mask][filled++] = 0x80;
  }
  return table;
}

constexpr FrontLanes kFrontLanes = make_front_lanes();

// Appends the 16-bit values whose bit is set as 32-bit ones; writes 8 in any case.
inline int32_t* append_lanes(__m128i values, uint32_t mask, int32_t* out) {
  const __m128i order = _mm_load_si128(reinterpret_cast<const __m128i*>(kFrontLanes.shuffle[mask]));
  const __m128i front = _mm_shuffle_epi8(values, order);
  _mm256_storeu_si256(reinterpret_cast<__m256i*>(out), _mm256_cvtepi16_epi32(front));
  return out + __builtin_popcount(mask);
}

// All numbers of a text -> how many, -1 where one is broken.
inline int64_t read_numbers(const uint8_t* text, int64_t length, int32_t* numbers) {
  const __m128i zero_char = _mm_set1_epi8(48), low_bits = _mm_set1_epi8(31), sign = _mm_set1_epi8(16);
  const __m128i more = _mm_set1_epi8(32), one = _mm_set1_epi8(1);
  const uint8_t* p = text;
  const uint8_t* end = text + length;
  int32_t* out = numbers;
  __m128i seen = _mm_setzero_si128();
  uint32_t earlier = 0;  // which of the 16 characters before have more digits behind them
  while (p < end) {
    const __m128i code = _mm_sub_epi8(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p)), zero_char);
    const uint32_t continued = static_cast<uint32_t>(_mm_movemask_epi8(_mm_slli_epi16(code, 2)));
    const uint32_t line = continued << 16 | earlier;
    seen = _mm_or_si128(seen, code);
    if ((line >> 15) & (line >> 14) & 0xffff) {  // three characters or more
      if (!read_singly(text, end, p + 16, p, out)) return -1;
      earlier = 0;
      continue;
    }
    const __m128i before = _mm_sub_epi8(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p - 1)), zero_char);
    const __m128i before_more = _mm_and_si128(before, more);
    // last digit, with its sign, times 32 where a digit stands before it; and that digit
    const __m128i digit = _mm_sub_epi8(_mm_xor_si128(_mm_and_si128(code, low_bits), sign), sign);
    const __m128i weight = _mm_max_epu8(before_more, one);
    const __m128i low_digit = _mm_and_si128(_mm_and_si128(before, low_bits), _mm_cmpeq_epi8(before_more, more));
    uint32_t last = ~continued & 0xffff;
    if (end - p < 16) last &= (1u << (end - p)) - 1;
    out = append_lanes(_mm_maddubs_epi16(_mm_unpacklo_epi8(low_digit, weight), _mm_unpacklo_epi8(one, digit)),
                       last & 0xff, out);
    out = append_lanes(_mm_maddubs_epi16(_mm_unpackhi_epi8(low_digit, weight), _mm_unpackhi_epi8(one, digit)),
                       last >> 8, out);
    earlier = continued;
    p += 16;
  }
  const __m128i foreign = _mm_and_si128(seen, _mm_set1_epi8(static_cast<char>(0xC0)));
  return _mm_testz_si128(foreign, foreign) ? out - numbers : -1;
}

#else

inline int64_t read_numbers(const uint8_t* text, int64_t length, int32_t* numbers) {
  const uint8_t* p = text;
  const uint8_t* end = text + length;
  int32_t* out = numbers;
  while (p < end) {
    uint64_t word;
    std::memcpy(&word, p, 8);  // the characters behind the end are there and are 0
    word -= 0x3030303030303030ULL;
    if (end - p < 8 || (word & 0xE0E0E0E0E0E0E0E0ULL)) {  // a foreign character or a number of more than one
      if (!read_singly(text, end, p + 8, p, out)) return -1;
      continue;
    }
    word ^= 0x1010101010101010ULL;
    for (int k = 0; k < 8; ++k) *out++ = static_cast<int32_t>(word >> (8 * k) & 255) - 16;
    p += 8;
  }
  return out - numbers;
}

#endif

// Differences -> run ends, in place. False where a run is negative or the sums exceed 31 bits: from a sum below 2^31 a
// step of less than 2^31 cannot leap over the negative numbers, so the sign shows every overflow.
inline bool sum_up(int32_t* numbers, int64_t count, int64_t pixels, bool& empty_run) {
  if (count > 2) numbers[2] -= numbers[0];  // the third run is written as it is
  uint32_t before_last = 0, last = 0, position = 0, signs = 0;
  int64_t empty = 0, k = 0;
#ifdef __SSE2__
  const __m128i zero = _mm_setzero_si128();
  __m128i pair = zero, reached = zero, all = zero, empties = zero;
  for (; k + 4 <= count; k += 4) {
    __m128i runs = _mm_loadu_si128(reinterpret_cast<const __m128i*>(numbers + k));
    runs = _mm_add_epi32(runs, _mm_slli_si128(runs, 8));
    const __m128i next_pair = _mm_add_epi32(pair, _mm_shuffle_epi32(runs, 0xEE));
    runs = _mm_add_epi32(runs, pair);
    pair = next_pair;
    empties = _mm_sub_epi32(empties, _mm_cmpeq_epi32(runs, zero));
    __m128i ends = _mm_add_epi32(runs, _mm_slli_si128(runs, 4));
    ends = _mm_add_epi32(ends, _mm_slli_si128(ends, 8));
    const __m128i next_reached = _mm_add_epi32(reached, _mm_shuffle_epi32(ends, 0xFF));
    ends = _mm_add_epi32(ends, reached);
    reached = next_reached;
    all = _mm_or_si128(all, _mm_or_si128(runs, ends));
    _mm_storeu_si128(reinterpret_cast<__m128i*>(numbers + k), ends);
  }
  alignas(16) uint32_t lanes[4], totals[4];
  _mm_store_si128(reinterpret_cast<__m128i*>(lanes), pair);
  before_last = lanes[0], last = lanes[1];
  position = static_cast<uint32_t>(_mm_cvtsi128_si32(reached));
  _mm_store_si128(reinterpret_cast<__m128i*>(lanes), all);
  _mm_store_si128(reinterpret_cast<__m128i*>(totals), empties);
  for (int lane = 0; lane < 4; ++lane) signs |= lanes[lane], empty += totals[lane];
#endif
  for (; k < count; ++k) {
    const uint32_t run = before_last + static_cast<uint32_t>(numbers[k]);
    position += run;
    signs |= run | position;
    empty += run == 0;
    numbers[k] = static_cast<int32_t>(position);
    before_last = last, last = run;
  }
  empty_run = empty > (count > 0 && numbers[0] == 0);
  return !(signs >> 31) && position == static_cast<uint64_t>(pixels);
}

inline vis::rle::Decoded decode_text(const uint8_t* text, int64_t length, int64_t pixels, uint32_t* ends) {
  const vis::rle::Decoded broken{-1, false};
  if (length > 0 && ((text[length - 1] - 48) & 32)) return broken;
  int32_t* numbers = reinterpret_cast<int32_t*>(ends);
  const int64_t count = read_numbers(text, length, numbers);
  bool empty_run = false;
  if (count < 0 || !sum_up(numbers, count, pixels, empty_run)) return broken;
  return {count, empty_run};
}

}  // namespace
