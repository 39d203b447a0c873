// CUDA kernels of the depth-wise cross-correlation itself. Square templates of 3, 5 and 7 run on tiles in shared
// memory, other sizes read their neighbours from global memory.
#include "tile.cuh"

namespace vis::xcorr {

namespace {

constexpr int kTogether = 4;      // templates of one shared map that a block takes together,
constexpr int kTogetherRows = 4;  // and rows of a thread then
constexpr int kSingleRows = 8;    // rows of a thread with one template

// Piece of work: (NB templates, channel, tile), the tile fastest.
template <class T, int K, int NB, int R>
__global__ void __launch_bounds__(kMaxThreads)
    forward_kernel(Shape shape, int64_t pieces, const T* search, const T* filter, T* out) {
  extern __shared__ __align__(16) unsigned char shared[];
  using A = Sum<T>;
  A* weights = reinterpret_cast<A*>(shared);
  A* tile = weights + weight_values(K, NB);
  const Sizes& z = shape.sizes;
  const Plan& plan = shape.plan;
  const int64_t height = z.out_height(), width = z.out_width();
  const int stride = plan.columns + K - 1, item = threadIdx.x;
  for (int64_t work = blockIdx.x; work < pieces; work += gridDim.x) {
    int64_t piece = work, y0, x0;
    tile_place(plan, R, piece, y0, x0);
    const int64_t channel = piece % z.channels, n0 = piece / z.channels * NB;
    const int used = z.count - n0 < NB ? static_cast<int>(z.count - n0) : NB;
    const int64_t map = map_of(shape.image_index, z.maps, n0);
    load_weights<T, K, NB>(filter, z, n0, used, channel, false, weights);
    load_tile(search + (map * z.channels + channel) * z.height * z.width, z.height, z.width, y0 - z.padding,
              x0 - z.padding, plan.groups * R + K - 1, stride, tile);
    __syncthreads();
    if (item < plan.groups * plan.columns) {
      const int row = item / plan.columns * R, column = item % plan.columns;
      A sum[NB][R] = {};
      correlate_column<A, K, NB, R>(tile + row * stride + column, stride, weights, sum);
#pragma unroll
      for (int b = 0; b < NB; ++b)
#pragma unroll
        for (int o = 0; o < R; ++o) {
          const int64_t y = y0 + row + o, x = x0 + column;
          if (b < used && y < height && x < width)
            narrow(sum[b][o], out[((n0 + b) * z.channels + channel) * height * width + y * width + x]);
        }
    }
    __syncthreads();
  }
}

// Any template: one thread for each value of the output.
template <class T>
__global__ void forward_any_kernel(Shape shape, int64_t total, const T* search, const T* filter, T* out) {
  const Sizes& z = shape.sizes;
  const int64_t height = z.out_height(), width = z.out_width();
  const int64_t step = static_cast<int64_t>(gridDim.x) * blockDim.x;
  for (int64_t i = static_cast<int64_t>(blockIdx.x) * blockDim.x + threadIdx.x; i < total; i += step) {
    const int64_t x = i % width, y = i / width % height, plane = i / width / height;
    const int64_t channel = plane % z.channels, map = map_of(shape.image_index, z.maps, plane / z.channels);
    const T* from = search + (map * z.channels + channel) * z.height * z.width;
    const T* weights = filter + plane * z.rows * z.columns;
    Sum<T> sum = 0;
    for (int64_t r = 0; r < z.rows; ++r) {
      const int64_t row = y + r - z.padding;
      if (row < 0 || row >= z.height) continue;
      for (int64_t s = 0; s < z.columns; ++s) {
        const int64_t column = x + s - z.padding;
        if (column >= 0 && column < z.width)
          sum += widen(weights[r * z.columns + s]) * widen(from[row * z.width + column]);
      }
    }
    narrow(sum, out[i]);
  }
}

template <class T, int K, int NB, int R>
void launch_forward(const CudaCall& call, const T* search, const T* filter, T* out) {
  const Sizes& z = call.sizes;
  const Shape shape{z, tile_plan<T, K>(z.out_height(), z.out_width(), R, NB), call.image_index};
  const int64_t pieces = shape.plan.tiles() * z.channels * divide_up(z.count, NB);
  forward_kernel<T, K, NB, R><<<blocks_for(pieces), threads_for(shape.plan), shared_bytes<T, K>(shape.plan, R, NB),
                                static_cast<cudaStream_t>(call.stream)>>>(shape, pieces, search, filter, out);
}

template <class T, int K>
void launch_forward(const CudaCall& call, const T* search, const T* filter, T* out) {
  if (call.sizes.maps == 1 && call.sizes.count > 1 && call.image_index == nullptr)
    launch_forward<T, K, kTogether, kTogetherRows>(call, search, filter, out);
  else
    launch_forward<T, K, 1, kSingleRows>(call, search, filter, out);
}

}  // namespace

int forward_cuda(const CudaCall& call, const void* search_, const void* filter_, void* out_) {
  const Sizes& z = call.sizes;
  const int64_t total = z.count * z.channels * z.out_height() * z.out_width();
  if (total == 0) return 0;
  return with_type(call.element, [&](auto type) {
    using T = decltype(type);
    const T* search = static_cast<const T*>(search_);
    const T* filter = static_cast<const T*>(filter_);
    T* out = static_cast<T*>(out_);
    const int64_t side = z.rows == z.columns ? z.rows : 0;
    if (side == 7)
      launch_forward<T, 7>(call, search, filter, out);
    else if (side == 5)
      launch_forward<T, 5>(call, search, filter, out);
    else if (side == 3)
      launch_forward<T, 3>(call, search, filter, out);
    else
      forward_any_kernel<T><<<blocks_for(divide_up(total, 256)), 256, 0, static_cast<cudaStream_t>(call.stream)>>>(
          Shape{z, Plan{}, call.image_index}, total, search, filter, out);
    return static_cast<int>(cudaGetLastError());
  });
}

}  // namespace vis::xcorr
