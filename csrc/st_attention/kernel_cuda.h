// Entry points of the CUDA kernels of the spatial-temporal attention. No torch headers here.
#pragma once

#include <cstdint>

#include "common/element.h"
#include "sizes.h"

namespace vis::attention {

// What a launch computes: the output, or the gradient of one input.
enum class Pass { kForward, kQueryGrad, kKeyGrad, kValueGrad };

// Pointers are on the device; strides count elements. Logits, softmax and sums are double for kDouble and float for the
// other elements.
struct CudaCall {
  Sizes sizes;
  Element element;
  double scale;
  Planes<const void> query, key, value;
  const int64_t* image_index;  // null: set 0 for all query maps, or set n for map n
  void* stream;                // cudaStream_t
};

// How a pass is cut into blocks. A block owns a tile of positions of a problem (queries of the output or of their
// gradient, keys of theirs) and some channels, and walks its split of the positions of the other side.
struct Plan {
  bool folded;             // all query maps share one set and are one row of queries
  int64_t problems, own;   // own: positions of each problem
  int64_t own_tiles;
  int64_t channels;        // of the result
  int64_t channel_blocks;  // of the grid
  bool wide;               // a block owns four tiles of channels, not one
  int64_t splits;

  constexpr int64_t positions() const { return problems * own; }
  // sums of the splits, before `finish` adds them up; the forward pass has two statistics beside
  constexpr int64_t workspace(Pass pass) const { return splits * positions() * (channels + (pass == Pass::kForward ? 2 : 0)); }
};

// Fails with a cudaError_t where the current device cannot be asked for its size.
int make_plan(Pass pass, const Sizes& sizes, bool indexed, bool in_double, Plan* plan);

// `workspace` holds plan.workspace(pass) floats (doubles for kDouble), as do log_sum and products hold such numbers,
// (B, H, W). Results are contiguous. Each returns a cudaError_t, 0 for success. There must be something to write.
// The same input gives the same bits on the same kind of device.
int forward_cuda(const CudaCall& call, const Plan& plan, void* workspace, void* out, void* log_sum);

struct BackwardInputs {
  Planes<const void> grad;
  const void* log_sum;
  const void* products;  // of `products_cuda`
};

// products = sum over the channels of grad times out, for each query
int products_cuda(const CudaCall& call, const Planes<const void>& grad, const Planes<const void>& out, void* products);
int gradient_cuda(Pass pass, const CudaCall& call, const Plan& plan, const BackwardInputs& inputs, void* workspace,
                  void* result);

}  // namespace vis::attention
