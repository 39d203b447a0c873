// A part of the pixels of an image in working memory, for kernel.simd.cpp alone (one copy per level).
#pragma once

#include "common/scratch.h"
#include "layers.h"

namespace vis::mask_head {

namespace {

VIS_INLINE int64_t smaller(int64_t a, int64_t b) { return a < b ? a : b; }

// Features and places of pixels first to first + count, in whole tiles: behind the last pixel it is repeated, so that
// what is computed there is as finite as the rest.
template <class T>
struct Part {
  int64_t image, first, count, room;  // room: from one row to the next
  T* feats;  // (C, room)
  T* x;      // (room,) image position of each pixel's centre
  T* y;

  // whole tiles and 64 bytes or more, so that rows do not compete for the same places of the cache
  static int64_t rounded(int64_t pixels) { return (pixels + kTile - 1) / kTile * kTile + 16; }

  Part(const HeadArgs<T>& head, int64_t image_, int64_t first_, int64_t count_)
      : image(image_), first(first_), count(count_), room(rounded(count_)) {
    const Sizes& z = head.sizes;
    feats = static_cast<T*>(scratch(sizeof(T) * (z.channels + 2) * room, 0));
    x = feats + z.channels * room;
    y = x + room;
    const T* source = head.feats + image * z.channels * z.pixels() + first;
    for (int64_t c = 0; c < z.channels; ++c) {
      std::memcpy(feats + c * room, source + c * z.pixels(), sizeof(T) * count);
      for (int64_t p = count; p < room; ++p) feats[c * room + p] = feats[c * room + count - 1];
    }
    int64_t row = first / z.width, column = first % z.width;
    for (int64_t p = 0; p < room; ++p) {
      x[p] = static_cast<T>(z.stride * column + z.stride / 2);
      y[p] = static_cast<T>(z.stride * row + z.stride / 2);
      if (p >= count - 1) continue;
      if (++column == z.width) column = 0, ++row;
    }
  }

  // Relative coordinates of instance n at the tile that starts at pixel p of the part: (location - centre) / soi.
  VIS_INLINE void relative(const HeadArgs<T>& head, int64_t n, int64_t p, T* rel) const {
    const T inverse = static_cast<T>(1 / head.soi[n]);
    const T* centres[2] = {x + p, y + p};
    for (int axis = 0; axis < 2; ++axis) {
      const Vec<T> place = broadcast<T>(static_cast<T>(head.locations[2 * n + axis])), factor = broadcast<T>(inverse);
      for (int64_t i = 0; i < kTile; i += kLanes<T>)
        store<T>(rel + axis * kRow + i, (place - load<T>(centres[axis] + i)) * factor);
    }
  }
};

}  // namespace

}  // namespace vis::mask_head
