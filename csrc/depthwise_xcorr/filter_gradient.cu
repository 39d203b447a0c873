// CUDA kernels of the gradient of the templates: a sum over all pixels of the output for each weight.
//
// Square templates of 3, 5 and 7: a block has one template and channel, its threads keep all K x K sums in registers
// while they walk the map in tiles of shared memory; one sum over the block at the end, in a fixed order. Other sizes:
// a warp for each weight.
#include "device.cuh"

namespace vis::xcorr {

namespace {

constexpr int kThreads = 128;
constexpr int kWarps = kThreads / 32;
constexpr int kRows = 8;                      // rows of a thread's item
constexpr int64_t kTileBytes = 24 * 1024;     // several blocks then share a processor

template <class A>
__device__ A warp_sum(A value) {
#pragma unroll
  for (int step = 16; step > 0; step /= 2) value += __shfl_down_sync(0xffffffffu, value, step);
  return value;  // of lane 0
}

// sum[r][s] += gradient(o) * column value (o + r) at template column s, for the R rows of one item.
template <class A, int K>
__device__ void add_item(const A* column, int stride, const A (&gradient)[kRows], A (&sum)[K][K]) {
#pragma unroll
  for (int s = 0; s < K; ++s) {
    A value[kRows + K - 1];
#pragma unroll
    for (int y = 0; y < kRows + K - 1; ++y) value[y] = column[y * stride + s];
#pragma unroll
    for (int r = 0; r < K; ++r)
#pragma unroll
      for (int o = 0; o < kRows; ++o) sum[r][s] += gradient[o] * value[o + r];
  }
}

// Piece of work: a template and channel.
template <class T, int K>
__global__ void __launch_bounds__(kThreads)
    filter_gradient_kernel(Shape shape, int64_t pieces, const T* grad, const T* search, T* filter_grad) {
  extern __shared__ __align__(16) unsigned char shared[];
  using A = Sum<T>;
  __shared__ A partial[kWarps][K * K];
  A* tile = reinterpret_cast<A*>(shared);
  const Sizes& z = shape.sizes;
  const Plan& plan = shape.plan;
  const int64_t height = z.out_height(), width = z.out_width();
  const int stride = plan.columns + K - 1, rows = plan.groups * kRows;
  for (int64_t piece = blockIdx.x; piece < pieces; piece += gridDim.x) {
    const int64_t channel = piece % z.channels, map = map_of(shape.image_index, z.maps, piece / z.channels);
    const T* from = search + (map * z.channels + channel) * z.height * z.width;
    const T* gradients = grad + piece * height * width;
    A sum[K][K] = {};
    for (int64_t index = 0; index < plan.tiles(); ++index) {
      const int64_t y0 = index / plan.tiles_x * rows, x0 = index % plan.tiles_x * plan.columns;
      __syncthreads();  // the tile before has been read
      load_tile(from, z.height, z.width, y0 - z.padding, x0 - z.padding, rows + K - 1, stride, tile);
      __syncthreads();
      for (int item = threadIdx.x; item < plan.groups * plan.columns; item += kThreads) {
        const int row = item / plan.columns * kRows, column = item % plan.columns;
        A gradient[kRows];
#pragma unroll
        for (int o = 0; o < kRows; ++o) {
          const int64_t y = y0 + row + o, x = x0 + column;
          gradient[o] = y < height && x < width ? widen(gradients[y * width + x]) : A(0);
        }
        add_item<A, K>(tile + row * stride + column, stride, gradient, sum);
      }
    }
#pragma unroll
    for (int k = 0; k < K * K; ++k) {
      const A total = warp_sum(sum[k / K][k % K]);
      if (threadIdx.x % 32 == 0) partial[threadIdx.x / 32][k] = total;
    }
    __syncthreads();
    for (int k = threadIdx.x; k < K * K; k += kThreads) {
      A total = 0;
#pragma unroll
      for (int warp = 0; warp < kWarps; ++warp) total += partial[warp][k];
      narrow(total, filter_grad[piece * (K * K) + k]);
    }
    __syncthreads();
  }
}

// Any template: one warp for each weight.
template <class T>
__global__ void __launch_bounds__(kThreads)
    filter_gradient_any_kernel(Shape shape, int64_t total, const T* grad, const T* search, T* filter_grad) {
  const Sizes& z = shape.sizes;
  const int64_t height = z.out_height(), width = z.out_width();
  const int lane = threadIdx.x % 32;
  const int64_t step = static_cast<int64_t>(gridDim.x) * kWarps;
  for (int64_t i = static_cast<int64_t>(blockIdx.x) * kWarps + threadIdx.x / 32; i < total; i += step) {
    const int64_t s = i % z.columns, r = i / z.columns % z.rows, plane = i / z.columns / z.rows;
    const int64_t channel = plane % z.channels, map = map_of(shape.image_index, z.maps, plane / z.channels);
    const T* from = search + (map * z.channels + channel) * z.height * z.width;
    const T* gradients = grad + plane * height * width;
    Sum<T> sum = 0;
    for (int64_t k = lane; k < height * width; k += 32) {
      const int64_t row = k / width + r - z.padding, column = k % width + s - z.padding;
      if (row >= 0 && row < z.height && column >= 0 && column < z.width)
        sum += widen(gradients[k]) * widen(from[row * z.width + column]);
    }
    sum = warp_sum(sum);
    if (lane == 0) narrow(sum, filter_grad[i]);
  }
}

template <class T, int K>
void launch_filter_gradient(const CudaCall& call, const T* grad, const T* search, T* filter_grad) {
  const Sizes& z = call.sizes;
  const int64_t values = kTileBytes / static_cast<int64_t>(sizeof(Sum<T>));
  const Shape shape{z, plan_tiles(z.out_height(), z.out_width(), kRows, K - 1, values, values), call.image_index};
  const size_t bytes = sizeof(Sum<T>) * (shape.plan.groups * kRows + K - 1) *
                       static_cast<size_t>(shape.plan.columns + K - 1);
  const int64_t pieces = z.count * z.channels;
  filter_gradient_kernel<T, K><<<blocks_for(pieces), kThreads, bytes, static_cast<cudaStream_t>(call.stream)>>>(
      shape, pieces, grad, search, filter_grad);
}

}  // namespace

int filter_gradient_cuda(const CudaCall& call, const void* grad_, const void* search_, void* filter_grad_) {
  const Sizes& z = call.sizes;
  const int64_t total = z.count * z.channels * z.rows * z.columns;
  if (total == 0) return 0;
  return with_type(call.element, [&](auto type) {
    using T = decltype(type);
    const T* grad = static_cast<const T*>(grad_);
    const T* search = static_cast<const T*>(search_);
    T* filter_grad = static_cast<T*>(filter_grad_);
    const int64_t side = z.rows == z.columns ? z.rows : 0;
    if (side == 7)
      launch_filter_gradient<T, 7>(call, grad, search, filter_grad);
    else if (side == 5)
      launch_filter_gradient<T, 5>(call, grad, search, filter_grad);
    else if (side == 3)
      launch_filter_gradient<T, 3>(call, grad, search, filter_grad);
    else
      filter_gradient_any_kernel<T>
          <<<blocks_for(divide_up(total, kWarps)), kThreads, 0, static_cast<cudaStream_t>(call.stream)>>>(
              Shape{z, Plan{}, call.image_index}, total, grad, search, filter_grad);
    return static_cast<int>(cudaGetLastError());
  });
}

}  // namespace vis::xcorr
