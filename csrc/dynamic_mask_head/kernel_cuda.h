// CUDA kernels of the dynamic mask head as plain functions. No torch headers here.
#pragma once

#include <cstdint>

#include "common/element.h"
#include "sizes.h"

namespace vis::mask_head {

enum class Real { kFloat, kDouble, kInt64 };  // of locations and soi

// Contiguous tensors on one device; locations and soi are null for a head without relative coordinates.
struct CudaHead {
  Sizes sizes;
  Element element;  // of mask_feats, params and the output
  const void* feats;
  const void* params;
  const void* locations;
  const void* soi;
  Real locations_type, soi_type;
  const int64_t* im_inds;
};

// How the backward pass is cut. Its blocks have a tile of pixels of one image and every `chunks`-th instance of it.
// What they find of the gradients of the features (chunks, B, C, H, W) and of the parameters (tiles, N, P) goes to
// working memory and is summed in order, so the result has the same bits each time. It follows from the sizes alone.
struct BackwardPlan {
  int threads;  // of a block: pixels at a time
  int64_t tiles, chunks;
  int64_t shared_bytes;

  int64_t feats_shares(const Sizes& z) const { return chunks * z.images * z.channels * z.pixels(); }
  int64_t params_shares(const Sizes& z) const { return tiles * z.count * z.params(); }
};
BackwardPlan backward_plan(const Sizes& sizes, bool in_double);

// Both start their kernels on `stream` (a cudaStream_t) and return a cudaError_t. There is at least one instance and
// one pixel.
// An image index outside of [0, B) stops the kernel.
int launch_forward(const CudaHead& head, void* out, void* stream);
// feats_grad and params_grad may each be null: not wanted. The shares are float32, for double inputs float64.
int launch_backward(const CudaHead& head, const BackwardPlan& plan, const void* grad, void* feats_grad,
                    void* params_grad, void* feats_shares, void* params_shares, void* stream);

}  // namespace vis::mask_head
