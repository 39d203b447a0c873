// CUDA kernels of the gradient of the search maps. Square templates of 3, 5 and 7 run on tiles in shared memory, other
// sizes read their neighbours from global memory.
#include "tile.cuh"

namespace vis::xcorr {

namespace {

constexpr int kRows = 8;  // rows of a thread

// Piece of work: (map, channel, tile), the tile fastest. The gradient of the output, bordered by zeros, is correlated
// with the turned templates and summed over the templates of the map, in their order.
template <class T, int K>
__global__ void __launch_bounds__(kMaxThreads)
    search_gradient_kernel(Shape shape, int64_t pieces, const T* grad, const T* filter, T* search_grad) {
  extern __shared__ __align__(16) unsigned char shared[];
  using A = Sum<T>;
  constexpr int R = kRows;
  A* weights = reinterpret_cast<A*>(shared);
  A* tile = weights + weight_values(K, 1);
  const Sizes& z = shape.sizes;
  const Plan& plan = shape.plan;
  const int64_t height = z.out_height(), width = z.out_width(), border = K - 1 - z.padding;
  const int stride = plan.columns + K - 1, item = threadIdx.x;
  const int row = item / plan.columns * R, column = item % plan.columns;
  const bool busy = item < plan.groups * plan.columns;
  for (int64_t work = blockIdx.x; work < pieces; work += gridDim.x) {
    int64_t piece = work, y0, x0, first, last;
    tile_place(plan, R, piece, y0, x0);
    const int64_t channel = piece % z.channels, map = piece / z.channels;
    A sum[1][R] = {};
    templates_of(shape.image_index, z, map, first, last);
    for (int64_t n = first; n < last; ++n) {
      if (!belongs(shape.image_index, n, map)) continue;  // the same for all threads of the block
      load_weights<T, K, 1>(filter, z, n, 1, channel, true, weights);
      load_tile(grad + (n * z.channels + channel) * height * width, height, width, y0 - border, x0 - border,
                plan.groups * R + K - 1, stride, tile);
      __syncthreads();
      if (busy) correlate_column<A, K, 1, R>(tile + row * stride + column, stride, weights, sum);
      __syncthreads();
    }
    if (busy) {
#pragma unroll
      for (int o = 0; o < R; ++o) {
        const int64_t y = y0 + row + o, x = x0 + column;
        if (y < z.height && x < z.width)
          narrow(sum[0][o], search_grad[(map * z.channels + channel) * z.height * z.width + y * z.width + x]);
      }
    }
  }
}

// Any template: one thread for each value of the maps.
template <class T>
__global__ void search_gradient_any_kernel(Shape shape, int64_t total, const T* grad, const T* filter, T* search_grad) {
  const Sizes& z = shape.sizes;
  const int64_t height = z.out_height(), width = z.out_width();
  const int64_t step = static_cast<int64_t>(gridDim.x) * blockDim.x;
  for (int64_t i = static_cast<int64_t>(blockIdx.x) * blockDim.x + threadIdx.x; i < total; i += step) {
    const int64_t x = i % z.width, y = i / z.width % z.height, plane = i / z.width / z.height;
    const int64_t channel = plane % z.channels, map = plane / z.channels;
    int64_t first, last;
    templates_of(shape.image_index, z, map, first, last);
    Sum<T> sum = 0;
    for (int64_t n = first; n < last; ++n) {
      if (!belongs(shape.image_index, n, map)) continue;
      const T* from = grad + (n * z.channels + channel) * height * width;
      const T* weights = filter + (n * z.channels + channel) * z.rows * z.columns;
      for (int64_t r = 0; r < z.rows; ++r) {
        const int64_t row = y + z.padding - r;
        if (row < 0 || row >= height) continue;
        for (int64_t s = 0; s < z.columns; ++s) {
          const int64_t column = x + z.padding - s;
          if (column >= 0 && column < width)
            sum += widen(weights[r * z.columns + s]) * widen(from[row * width + column]);
        }
      }
    }
    narrow(sum, search_grad[i]);
  }
}

template <class T, int K>
void launch_search_gradient(const CudaCall& call, const T* grad, const T* filter, T* search_grad) {
  const Sizes& z = call.sizes;
  const Shape shape{z, tile_plan<T, K>(z.height, z.width, kRows, 1), call.image_index};
  const int64_t pieces = shape.plan.tiles() * z.channels * z.maps;
  search_gradient_kernel<T, K>
      <<<blocks_for(pieces), threads_for(shape.plan), shared_bytes<T, K>(shape.plan, kRows, 1),
         static_cast<cudaStream_t>(call.stream)>>>(shape, pieces, grad, filter, search_grad);
}

}  // namespace

int search_gradient_cuda(const CudaCall& call, const void* grad_, const void* filter_, void* search_grad_) {
  const Sizes& z = call.sizes;
  const int64_t total = z.maps * z.channels * z.height * z.width;
  if (total == 0) return 0;
  return with_type(call.element, [&](auto type) {
    using T = decltype(type);
    const T* grad = static_cast<const T*>(grad_);
    const T* filter = static_cast<const T*>(filter_);
    T* search_grad = static_cast<T*>(search_grad_);
    const int64_t side = z.rows == z.columns ? z.rows : 0;
    if (side == 7)
      launch_search_gradient<T, 7>(call, grad, filter, search_grad);
    else if (side == 5)
      launch_search_gradient<T, 5>(call, grad, filter, search_grad);
    else if (side == 3)
      launch_search_gradient<T, 3>(call, grad, filter, search_grad);
    else
      search_gradient_any_kernel<T>
          <<<blocks_for(divide_up(total, 256)), 256, 0, static_cast<cudaStream_t>(call.stream)>>>(
              Shape{z, Plan{}, call.image_index}, total, grad, filter, search_grad);
    return static_cast<int>(cudaGetLastError());
  });
}

}  // namespace vis::xcorr
