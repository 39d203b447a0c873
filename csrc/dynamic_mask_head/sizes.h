// Sizes of one call of the dynamic mask head and the layout of its parameters, for CPU and CUDA. No torch headers here.
#pragma once

#include <cstdint>

#include "common/host_device.h"

namespace vis::mask_head {

constexpr int kHidden = 8;       // outputs of the first and of the second layer
constexpr int kMaxChannels = 64;

// Letters: B images, N instances, C channels of mask_feats, H x W a map.
// Parameters of an instance: first layer (8 x inputs, output after output), second (8 x 8), third (8), their biases.
struct Sizes {
  int64_t images;
  int64_t count;
  int64_t channels;
  int64_t height, width;
  int64_t stride;   // image pixels from one place of a map to the next
  int64_t coords;   // 2: relative x and y come before the channels, 0: they do not

  VIS_HOST_DEVICE int64_t pixels() const { return height * width; }
  VIS_HOST_DEVICE int64_t inputs() const { return coords + channels; }
  VIS_HOST_DEVICE int64_t weight1() const { return 0; }
  VIS_HOST_DEVICE int64_t weight2() const { return kHidden * inputs(); }
  VIS_HOST_DEVICE int64_t weight3() const { return weight2() + kHidden * kHidden; }
  VIS_HOST_DEVICE int64_t bias1() const { return weight3() + kHidden; }
  VIS_HOST_DEVICE int64_t bias2() const { return bias1() + kHidden; }
  VIS_HOST_DEVICE int64_t bias3() const { return bias2() + kHidden; }
  VIS_HOST_DEVICE int64_t params() const { return bias3() + 1; }
};

}  // namespace vis::mask_head
