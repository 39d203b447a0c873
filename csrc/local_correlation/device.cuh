// What both CUDA kernels use: the size of a block and of a launch.
#pragma once

#include "common/element.cuh"
#include "kernel_cuda.h"

namespace vis::correlation {

constexpr int kLanes = 32;  // columns of a block, neighbours in memory
constexpr int kRows = 2;    // rows of a tile, which share the loads of a source row

__device__ inline int64_t clamped(int64_t value, int64_t most) { return value < 0 ? 0 : value > most ? most : value; }

// Blocks for a number of jobs; a block takes jobs a grid apart.
inline unsigned grid_of(int64_t jobs) { return static_cast<unsigned>(jobs < 0x7fffffff ? jobs : 0x7fffffff); }

}  // namespace vis::correlation
