// CUDA forward pass of the spatial-temporal attention, and the cut of all passes into blocks.
#include "launch.cuh"

namespace vis::attention {

namespace {

// A pass is split until it has this many blocks for each multiprocessor, which holds two or three at a time, so that
// the last round is not a large part of all; the workspace stays below its limit unless one split needs more.
constexpr int64_t kBlocksPerProcessor = 6, kMaxSplits = 64, kWorkspaceBytes = 12 << 20;

int64_t divide_up(int64_t a, int64_t b) { return (a + b - 1) / b; }

int64_t at_most(int64_t value, int64_t most) { return value < most ? value : most; }

}  // namespace

int make_plan(Pass pass, const Sizes& z, bool indexed, bool in_double, Plan* plan) {
  int device = 0, processors = 0;
  cudaError_t error = cudaGetDevice(&device);
  if (error == cudaSuccess) error = cudaDeviceGetAttribute(&processors, cudaDevAttrMultiProcessorCount, device);
  if (error != cudaSuccess) return static_cast<int>(error);
  const int64_t tile = in_double ? kTileSize<double> : kTileSize<float>, number = in_double ? 8 : 4;
  const bool own_queries = pass == Pass::kForward || pass == Pass::kQueryGrad;
  plan->folded = z.sets == 1 && !indexed;
  const int64_t stretch = plan->folded ? z.maps * z.pixels() : z.pixels(), maps = plan->folded ? 1 : z.maps;
  plan->problems = own_queries ? maps : z.sets;
  plan->own = own_queries ? stretch : z.keys();
  plan->own_tiles = divide_up(plan->own, tile);
  plan->channels = pass == Pass::kForward || pass == Pass::kValueGrad ? z.value_channels : z.channels;
  plan->wide = plan->channels > tile;
  plan->channel_blocks = divide_up(plan->channels, plan->wide ? 4 * tile : tile);
  const int64_t other_tiles = own_queries ? divide_up(z.keys(), tile) : divide_up(stretch, tile) * (indexed ? maps : 1);
  const int64_t blocks = plan->problems * plan->own_tiles * plan->channel_blocks;
  plan->splits = 1;
  const int64_t room = kWorkspaceBytes / (plan->workspace(pass) * number);
  plan->splits = at_most(at_most(divide_up(kBlocksPerProcessor * processors, blocks), kMaxSplits), at_most(other_tiles, room));
  if (plan->splits < 1) plan->splits = 1;
  return 0;
}

int forward_cuda(const CudaCall& call, const Plan& plan, void* workspace, void* out, void* log_sum) {
  return with_type(call.element, [&](auto type) {
    using T = decltype(type);
    return run_pass<Pass::kForward, T>(kernel_args<T>(Pass::kForward, call, plan, workspace), 1.0, out, log_sum, call.stream);
  });
}

}  // namespace vis::attention
