// CUDA backward pass of the local correlation: a gather for each of the two gradients, without shared memory.
//
// A thread has one column, two rows that lie d apart and K channels: for each shift two weights (the gradient of the
// output) and K loads of the source, all of them neighbours across the warp, feed 2 K sums. The gradient of b is the
// same sum with the opposite shifts, whose weights lie at the source.
#include "device.cuh"

namespace vis::correlation {

namespace {

constexpr int kWarps = 4;     // of a block, each with other channels
constexpr int kChannels = 8;  // of a thread

template <class T>
struct Call {
  Sizes sizes;
  Sum<T> scale, slope;
  const T* grad;
  const T* out;  // null for a slope of 1
  const T* source;
  T* result;
  RowTiling tiling;
  int64_t channel_blocks, column_blocks;

  // (pair, tile of rows, block of channels, block of columns)
  __host__ __device__ int64_t jobs() const { return sizes.count * tiling.total() * channel_blocks * column_blocks; }
};

// The places that one thread writes.
struct Place {
  int64_t n;
  RowTile rows;
  int64_t channel;  // first
  int64_t x;        // may lie behind the width
};

template <class T>
__device__ Place place_of(const Call<T>& call, int64_t index, int lane, int warp) {
  Place place;
  place.x = index % call.column_blocks * kLanes + lane;
  index /= call.column_blocks;
  place.channel = (index % call.channel_blocks * kWarps + warp) * kChannels;
  index /= call.channel_blocks;
  place.rows = call.tiling.tile(index % call.tiling.total());
  place.n = index / call.tiling.total();
  return place;
}

// Gradient of one output times the slope that it went through.
template <class T>
__device__ inline Sum<T> weight(const Call<T>& call, int64_t at) {
  const Sum<T> value = widen(call.grad[at]);
  return call.out == nullptr || widen(call.out[at]) > 0 ? value : value * call.slope;
}

template <class T, bool Mirrored>
__device__ void gather(const Call<T>& call, const Place& place) {
  const Sizes& z = call.sizes;
  if (place.x >= z.width || place.channel >= z.channels) return;
  Sum<T> sum[kRows][kChannels] = {};
  int64_t offset[kChannels];  // a channel behind the last one is read as the last one and not written
#pragma unroll
  for (int k = 0; k < kChannels; ++k) offset[k] = clamped(place.channel + k, z.channels - 1) * z.plane();
  const int64_t rows = z.row_radius(), columns = z.column_radius(), patch = z.patch();
  const T* map = call.source + place.n * z.channels * z.plane();
  for (int64_t t = -rows; t < place.rows.count + rows; ++t) {
    const int64_t y = place.rows.first + t * z.dilation;
    if (y < 0 || y >= z.height) continue;
    for (int64_t j = -columns; j <= columns; ++j) {
      const int64_t x = place.x + j * z.dilation;
      if (x < 0 || x >= z.width) continue;
      Sum<T> factor[kRows];
#pragma unroll
      for (int r = 0; r < kRows; ++r) {
        const int64_t i = t - r;
        const bool used = r < place.rows.count && i >= -rows && i <= rows;
        const int64_t shift = Mirrored ? (z.radius - i) * patch + z.radius - j : (z.radius + i) * patch + z.radius + j;
        const int64_t row = Mirrored ? y : place.rows.first + r * z.dilation;
        const int64_t plane = place.n * patch * patch + shift;
        factor[r] = used ? weight(call, (plane * z.height + row) * z.width + (Mirrored ? x : place.x)) : Sum<T>(0);
      }
#pragma unroll
      for (int k = 0; k < kChannels; ++k) {
        const Sum<T> value = widen(map[offset[k] + y * z.width + x]);
#pragma unroll
        for (int r = 0; r < kRows; ++r) sum[r][k] += factor[r] * value;
      }
    }
  }
  for (int r = 0; r < kRows && r < place.rows.count; ++r)
#pragma unroll
    for (int k = 0; k < kChannels; ++k) {
      if (place.channel + k >= z.channels) break;
      const int64_t plane = place.n * z.channels + place.channel + k;
      narrow(sum[r][k] * call.scale,
             call.result[(plane * z.height + place.rows.first + r * z.dilation) * z.width + place.x]);
    }
}

template <class T, bool Mirrored>
__global__ void __launch_bounds__(kWarps* kLanes) backward_kernel(const Call<T> call) {
  const int thread = static_cast<int>(threadIdx.x);
  for (int64_t index = blockIdx.x; index < call.jobs(); index += gridDim.x)
    gather<T, Mirrored>(call, place_of(call, index, thread % kLanes, thread / kLanes));
}

}  // namespace

int backward_cuda(const CudaCall& call, bool mirrored, const void* grad, const void* out, const void* source,
                  void* result) {
  return with_type(call.element, [&](auto type) {
    using T = decltype(type);
    const Sizes& z = call.sizes;
    const Call<T> typed{z,
                        static_cast<Sum<T>>(call.scale),
                        static_cast<Sum<T>>(call.slope),
                        static_cast<const T*>(grad),
                        static_cast<const T*>(out),
                        static_cast<const T*>(source),
                        static_cast<T*>(result),
                        RowTiling(z, kRows),
                        (z.channels + kWarps * kChannels - 1) / (kWarps * kChannels),
                        (z.width + kLanes - 1) / kLanes};
    const auto kernel = mirrored ? backward_kernel<T, true> : backward_kernel<T, false>;
    kernel<<<grid_of(typed.jobs()), kWarps * kLanes, 0, static_cast<cudaStream_t>(call.stream)>>>(typed);
    return static_cast<int>(cudaGetLastError());
  });
}

}  // namespace vis::correlation
