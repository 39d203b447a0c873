// A strict one-pass reader of json, for content of the plain form that programs write. No torch headers here.
//
// It knows two outcomes: the content is as expected, or `Irregular` is thrown. Everything that a full json parser would
// refuse is irregular, and so is much that it would take: characters beyond ASCII, escapes in names, nan, huge numbers,
// deep nesting. Nothing behind the end of the data is read.
#pragma once

#include <cstdint>
#include <string_view>

namespace vis::json {

// Thrown where the content leaves the plain form.
struct Irregular {
  int64_t position;
};

struct Span {
  int64_t begin, end;
};

struct Number {
  double value;
  bool integral;  // written without fraction and exponent, or of integral value
};

class Reader {
 public:
  Reader(const uint8_t* data, int64_t size) : begin_(data), at_(data), end_(data + size) {}

  [[noreturn]] void give_up() const { throw Irregular{at_ - begin_}; }
  void require(bool regular) const {
    if (!regular) give_up();
  }
  int64_t position() const { return at_ - begin_; }

  // The next character behind blanks, 0 at the end; it is not taken.
  uint8_t peek();
  // Takes the next character behind blanks if it is `wanted`.
  bool take(char wanted);
  void expect(char wanted) { require(take(wanted)); }
  // Takes `word` (null, true, false) if it is next.
  bool take_word(std::string_view word);
  void expect_end() { require(peek() == 0 && at_ == end_); }

  // The inside of a string without escapes.
  std::string_view name();
  // The inside of a string whose content is not looked at, up to the first quotation mark; a backslash before it is
  // irregular.
  Span raw_string();
  // The inside of a list whose content is not looked at, up to the first closing bracket.
  Span raw_list();
  // A whole string token, quotation marks included; escapes are checked.
  Span string_token();
  // At most 18 digits.
  int64_t integer();
  int64_t length() {
    const int64_t value = integer();
    require(value >= 0);
    return value;
  }
  // Finite.
  Number number();
  void skip_value(int depth = 0);

  // Calls field(name) for each field of an object; it must take the value.
  template <class Field>
  void object(const Field& field) {
    expect('{');
    if (take('}')) return;
    do {
      const std::string_view key = name();
      expect(':');
      field(key);
    } while (take(','));
    expect('}');
  }

  // Calls item() for each item of a list; it must take the value.
  template <class Item>
  void list(const Item& item) {
    expect('[');
    if (take(']')) return;
    do item();
    while (take(','));
    expect(']');
  }

 private:
  const uint8_t* number_end();

  const uint8_t* begin_;
  const uint8_t* at_;
  const uint8_t* end_;
};

// Remembers which fields of an object were seen; a second time is irregular.
class Fields {
 public:
  explicit Fields(const Reader& reader) : reader_(reader) {}
  void enter(int field) {
    reader_.require(!has(field));
    seen_ |= 1u << field;
  }
  bool has(int field) const { return seen_ >> field & 1; }

 private:
  const Reader& reader_;
  uint32_t seen_ = 0;
};

}  // namespace vis::json
