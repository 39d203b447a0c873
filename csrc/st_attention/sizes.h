// Sizes of one spatial-temporal attention, the same for CPU and CUDA. No torch headers here.
#pragma once

#include <cstdint>

namespace vis::attention {

// Letters: B query maps, S key sets of T frames, d channels of queries and keys, dv of values.
struct Sizes {
  int64_t maps;            // B
  int64_t sets;            // S
  int64_t channels;        // d
  int64_t value_channels;  // dv
  int64_t height, width;   // of a query map
  int64_t frames;          // T
  int64_t key_height, key_width;

  constexpr int64_t pixels() const { return height * width; }
  constexpr int64_t places() const { return key_height * key_width; }  // of one frame of keys
  constexpr int64_t keys() const { return frames * places(); }
};

// Where the elements of a tensor lie: the pixels of one map of one channel are next to each other.
template <class T>
struct Planes {
  T* data;
  int64_t map_stride, channel_stride;  // a map of a query tensor, a frame of keys or values
  int64_t set_stride;                  // a key set; not used for queries
};

constexpr double kLog2E = 1.4426950408889634074;

}  // namespace vis::attention
