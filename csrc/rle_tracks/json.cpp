// See json.h.
#include "json.h"

#include <charconv>
#include <cmath>
#include <cstring>
#include <system_error>

namespace vis::json {

namespace {

constexpr int kDeepest = 64;            // nesting of skipped values
constexpr int64_t kLongestNumber = 400;  // characters
constexpr int64_t kLongestInteger = 18;  // digits, so that int64 holds them

bool is_digit(uint8_t c) { return c >= '0' && c <= '9'; }

bool is_hex(uint8_t c) { return is_digit(c) || ((c | 32) >= 'a' && (c | 32) <= 'f'); }

}  // namespace

uint8_t Reader::peek() {
  while (at_ < end_) {
    const uint8_t c = *at_;
    if (c != ' ' && c != '\n' && c != '\r' && c != '\t') return c;
    ++at_;
  }
  return 0;
}

bool Reader::take(char wanted) {
  if (peek() != static_cast<uint8_t>(wanted) || at_ == end_) return false;
  ++at_;
  return true;
}

bool Reader::take_word(std::string_view word) {
  peek();
  if (end_ - at_ < static_cast<int64_t>(word.size()) || std::memcmp(at_, word.data(), word.size()) != 0) return false;
  at_ += word.size();
  return true;
}

std::string_view Reader::name() {
  expect('"');
  const uint8_t* first = at_;
  while (at_ < end_ && *at_ != '"') {
    require(*at_ >= 0x20 && *at_ < 0x80 && *at_ != '\\');
    ++at_;
  }
  require(at_ < end_);
  return {reinterpret_cast<const char*>(first), static_cast<size_t>(at_++ - first)};
}

Span Reader::raw_string() {
  expect('"');
  const void* quote = std::memchr(at_, '"', end_ - at_);
  require(quote != nullptr);
  const uint8_t* last = static_cast<const uint8_t*>(quote);
  require(last == at_ || last[-1] != '\\');
  const Span span{at_ - begin_, last - begin_};
  at_ = last + 1;
  return span;
}

Span Reader::raw_list() {
  expect('[');
  const void* bracket = std::memchr(at_, ']', end_ - at_);
  require(bracket != nullptr);
  const uint8_t* last = static_cast<const uint8_t*>(bracket);
  const Span span{at_ - begin_, last - begin_};
  at_ = last + 1;
  return span;
}

Span Reader::string_token() {
  expect('"');
  const int64_t first = position() - 1;
  while (at_ < end_ && *at_ != '"') {
    require(*at_ >= 0x20 && *at_ < 0x80);
    if (*at_++ != '\\') continue;
    require(at_ < end_);
    const uint8_t escaped = *at_++;
    if (escaped == 'u') {
      for (int k = 0; k < 4; ++k, ++at_) require(at_ < end_ && is_hex(*at_));
    } else {
      require(escaped != 0 && std::strchr("\"\\/bfnrt", escaped) != nullptr);
    }
  }
  require(at_ < end_);
  ++at_;
  return {first, position()};
}

// Behind a number after json's grammar that begins here.
const uint8_t* Reader::number_end() {
  peek();
  const uint8_t* p = at_;
  const auto digits = [&] {
    const uint8_t* first = p;
    while (p < end_ && is_digit(*p)) ++p;
    require(p > first);
    return first;
  };
  if (p < end_ && *p == '-') ++p;
  const uint8_t* first = digits();
  require(*first != '0' || p == first + 1);
  if (p < end_ && *p == '.') {
    ++p;
    digits();
  }
  if (p < end_ && (*p == 'e' || *p == 'E')) {
    ++p;
    if (p < end_ && (*p == '+' || *p == '-')) ++p;
    digits();
  }
  require(p - at_ <= kLongestNumber);
  return p;
}

int64_t Reader::integer() {
  const uint8_t* last = number_end();
  int64_t value = 0;
  const bool negative = *at_ == '-';
  const uint8_t* p = at_ + negative;
  require(last - p <= kLongestInteger);
  for (; p < last; ++p) {
    require(is_digit(*p));
    value = 10 * value + (*p - '0');
  }
  at_ = last;
  return negative ? -value : value;
}

Number Reader::number() {
  const uint8_t* last = number_end();
  Number number{};
  const char* first = reinterpret_cast<const char*>(at_);
  const auto [stop, error] = std::from_chars(first, reinterpret_cast<const char*>(last), number.value);
  require(error == std::errc() && stop == reinterpret_cast<const char*>(last) && std::isfinite(number.value));
  number.integral = number.value == std::floor(number.value);
  at_ = last;
  return number;
}

void Reader::skip_value(int depth) {
  require(depth < kDeepest);
  switch (peek()) {
    case '"':
      string_token();
      return;
    case '{':
      expect('{');
      if (take('}')) return;
      do {
        string_token();
        expect(':');
        skip_value(depth + 1);
      } while (take(','));
      expect('}');
      return;
    case '[':
      list([&] { skip_value(depth + 1); });
      return;
    case 't':
      require(take_word("true"));
      return;
    case 'f':
      require(take_word("false"));
      return;
    case 'n':
      require(take_word("null"));
      return;
    default:
      at_ = number_end();
  }
}

}  // namespace vis::json
