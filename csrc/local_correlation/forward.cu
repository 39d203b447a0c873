// CUDA forward pass of the local correlation.
//
// A block has two rows of a that lie d apart, 32 columns, one row of b that both see, and J neighbouring columns of
// shifts. Its eight warps take every eighth channel, then their sums are added in a fixed order. A thread has one
// column: two loads of a and J of b, all of them neighbours across the warp, feed 2 J sums. Places of b outside of the
// map are read at the border of the row instead, and those sums are dropped.
#include "device.cuh"

namespace vis::correlation {

namespace {

constexpr int kSlices = 8;      // warps, each with a part of the channels
constexpr int kMostShifts = 11;  // 8 * 2 * 11 * 32 doubles are 44 KB of shared memory

template <class T>
struct Call {
  Sizes sizes;
  Sum<T> scale, slope;
  const T* a;
  const T* b;
  T* out;
  RowTiling tiling;
  int64_t groups, column_blocks;  // of shifts; of columns

  // (pair, tile of rows, row of b as seen from the tile, group of shifts, block of columns)
  __host__ __device__ int64_t jobs() const {
    return sizes.count * tiling.total() * (sizes.patch() + kRows - 1) * groups * column_blocks;
  }
};

struct Job {
  int64_t n;
  RowTile rows;
  int64_t step;    // row of b: `step` dilations below the first row
  int64_t shift;   // first column of shifts, from 0
  int64_t column;  // first column
  int64_t source;  // row of b, may lie outside of the map
  bool seen;       // some place of b that the job looks at is in the map
};

template <class T, int J>
__device__ Job job_of(const Call<T>& call, int64_t index) {
  const Sizes& z = call.sizes;
  const int64_t steps = z.patch() + kRows - 1;
  Job job;
  job.column = index % call.column_blocks * kLanes;
  index /= call.column_blocks;
  job.shift = index % call.groups * J;
  index /= call.groups;
  job.step = index % steps - z.radius;
  index /= steps;
  job.rows = call.tiling.tile(index % call.tiling.total());
  job.n = index / call.tiling.total();
  job.source = job.rows.first + job.step * z.dilation;
  const int64_t left = job.column + (job.shift - z.radius) * z.dilation;
  const int64_t right = left + kLanes - 1 + (J - 1) * z.dilation;
  job.seen = job.source >= 0 && job.source < z.height && left < z.width && right >= 0;
  return job;
}

// Sums of one thread over the channels of its slice, to partial[slice][row][shift][lane].
template <class T, int J>
__device__ void accumulate(const Call<T>& call, const Job& job, int lane, int slice, Sum<T>* partial) {
  const Sizes& z = call.sizes;
  const int64_t x = clamped(job.column + lane, z.width - 1);
  int64_t offset[J];
#pragma unroll
  for (int j = 0; j < J; ++j) offset[j] = clamped(x + (job.shift + j - z.radius) * z.dilation, z.width - 1);
  Sum<T> sum[kRows][J] = {};
  const int64_t second = job.rows.count > 1 ? z.dilation * z.width : 0;
  const int64_t map = job.n * z.channels * z.plane();
  const T* a = call.a + map + slice * z.plane() + job.rows.first * z.width + x;
  const T* b = call.b + map + slice * z.plane() + job.source * z.width;
#pragma unroll 2
  for (int64_t c = slice; c < z.channels; c += kSlices) {
    const Sum<T> value[kRows] = {widen(*a), widen(a[second])};
#pragma unroll
    for (int j = 0; j < J; ++j) {
      const Sum<T> shifted = widen(b[offset[j]]);
#pragma unroll
      for (int r = 0; r < kRows; ++r) sum[r][j] += value[r] * shifted;
    }
    a += kSlices * z.plane();
    b += kSlices * z.plane();
  }
#pragma unroll
  for (int r = 0; r < kRows; ++r)
#pragma unroll
    for (int j = 0; j < J; ++j) partial[((slice * kRows + r) * J + j) * kLanes + lane] = sum[r][j];
}

// Adds the slices and writes; each output of the job has one thread.
template <class T, int J>
__device__ void finish(const Call<T>& call, const Job& job, int thread, const Sum<T>* partial) {
  const Sizes& z = call.sizes;
  constexpr int outputs = kRows * J * kLanes;
  for (int k = thread; k < outputs; k += kSlices * kLanes) {
    const int64_t r = k / (J * kLanes), x = job.column + k % kLanes, shift_column = job.shift + k / kLanes % J;
    const int64_t shift_row = job.step + z.radius - r;  // a row further down sees the same row of b nearer
    if (r >= job.rows.count || x >= z.width || shift_column >= z.patch() || shift_row < 0 || shift_row >= z.patch())
      continue;
    const int64_t at = x + (shift_column - z.radius) * z.dilation;
    Sum<T> value = 0;
    if (job.seen && at >= 0 && at < z.width) {
      for (int slice = 0; slice < kSlices; ++slice) value += partial[slice * outputs + k];
      value *= call.scale;
      value = value > 0 ? value : value * call.slope;
    }
    const int64_t shift = (job.n * z.patch() + shift_row) * z.patch() + shift_column;
    narrow(value, call.out[(shift * z.height + job.rows.first + r * z.dilation) * z.width + x]);
  }
}

template <class T, int J>
__global__ void __launch_bounds__(kSlices* kLanes) forward_kernel(const Call<T> call) {
  __shared__ Sum<T> partial[kSlices * kRows * J * kLanes];
  const int thread = static_cast<int>(threadIdx.x);
  for (int64_t index = blockIdx.x; index < call.jobs(); index += gridDim.x) {
    const Job job = job_of<T, J>(call, index);
    if (job.seen) accumulate<T, J>(call, job, thread % kLanes, thread / kLanes, partial);
    __syncthreads();
    finish<T, J>(call, job, thread, partial);
    __syncthreads();
  }
}

template <class T, int J>
int launch(Call<T> call, int64_t per_group, void* stream) {
  if constexpr (J > 1)
    if (per_group <= J - 2) return launch<T, J - 2>(call, per_group, stream);
  call.groups = (call.sizes.patch() + J - 1) / J;
  call.column_blocks = (call.sizes.width + kLanes - 1) / kLanes;
  forward_kernel<T, J><<<grid_of(call.jobs()), kSlices * kLanes, 0, static_cast<cudaStream_t>(stream)>>>(call);
  return static_cast<int>(cudaGetLastError());
}

}  // namespace

int forward_cuda(const CudaCall& call, const void* a, const void* b, void* out) {
  return with_type(call.element, [&](auto type) {
    using T = decltype(type);
    const Call<T> typed{call.sizes, static_cast<Sum<T>>(call.scale), static_cast<Sum<T>>(call.slope),
                        static_cast<const T*>(a), static_cast<const T*>(b), static_cast<T*>(out),
                        RowTiling(call.sizes, kRows), 0, 0};
    const int64_t patch = call.sizes.patch(), groups = (patch + kMostShifts - 1) / kMostShifts;
    return launch<T, kMostShifts>(typed, (patch + groups - 1) / groups, call.stream);
  });
}

}  // namespace vis::correlation
