// Starts the CUDA kernels of the attention.
#pragma once

#include "tile.cuh"

namespace vis::attention {

constexpr int64_t kMaxBlocks = 1 << 20;  // of kernels whose threads go on with the next piece

inline unsigned blocks_for(int64_t pieces) {
  const int64_t blocks = (pieces + kThreads - 1) / kThreads;
  return static_cast<unsigned>(blocks < kMaxBlocks ? blocks : kMaxBlocks);
}

template <class T>
Planes<const T> typed(const Planes<const void>& planes) {
  return {static_cast<const T*>(planes.data), planes.map_stride, planes.channel_stride, planes.set_stride};
}

template <class T>
KernelArgs<T> kernel_args(Pass pass, const CudaCall& call, const Plan& plan, void* workspace) {
  KernelArgs<T> args{};
  args.sizes = call.sizes;
  args.plan = plan;
  args.query = typed<T>(call.query);
  args.key = typed<T>(call.key);
  args.value = typed<T>(call.value);
  args.image_index = call.image_index;
  args.factor = static_cast<Sum<T>>(call.scale) * static_cast<Sum<T>>(kLog2E);
  args.sums = static_cast<Sum<T>*>(workspace);
  if (pass == Pass::kForward) {
    args.peaks = args.sums + plan.splits * plan.channels * plan.positions();
    args.totals = args.peaks + plan.splits * plan.positions();
  }
  return args;
}

// Runs a pass and adds up its splits.
template <Pass P, class T>
int run_pass(const KernelArgs<T>& args, double factor, void* result, void* log_sum, void* stream_) {
  const cudaStream_t stream = static_cast<cudaStream_t>(stream_);
  const Plan& plan = args.plan;
  const dim3 grid(static_cast<unsigned>(plan.problems * plan.own_tiles), static_cast<unsigned>(plan.channel_blocks),
                  static_cast<unsigned>(plan.splits));
  if (plan.wide)
    attend<P, T, 4><<<grid, kThreads, 0, stream>>>(args);
  else
    attend<P, T, 1><<<grid, kThreads, 0, stream>>>(args);
  const cudaError_t error = cudaGetLastError();
  if (error != cudaSuccess) return static_cast<int>(error);
  constexpr bool own_queries = P == Pass::kForward || P == Pass::kQueryGrad;
  const FinishArgs<T> last{plan.splits, plan.channels, plan.positions(),
                           own_queries ? args.sizes.pixels() : args.sizes.places(),
                           args.sums, args.peaks, args.totals, static_cast<Sum<T>>(factor), static_cast<T*>(result),
                           static_cast<Sum<T>*>(log_sum)};
  finish<P == Pass::kForward, T><<<blocks_for(plan.channels * plan.positions()), kThreads, 0, stream>>>(last);
  return static_cast<int>(cudaGetLastError());
}

}  // namespace vis::attention
