// Backward pass of the dynamic mask head on CUDA, without atomics.
//
// A thread has a few pixels. For each instance it computes the hidden layers and their gradients again, keeps the
// gradient of its features over all instances, and puts the rows that the gradients of the parameters are sums of
// products of into shared memory, where each thread then sums over the pixels for the parameters that are its own.
#include "device.cuh"

namespace vis::mask_head {

namespace {

constexpr int kPixels = 2;  // of a thread, one after the other
constexpr int kMostThreads = 192;  // 169 parameters: one a thread
constexpr int64_t kWantedBlocks = 264;
constexpr int64_t kMostShared = 48 * 1024;

// Rows in shared memory, one entry for each thread's pixel: gradients of the hidden layers before their relu and of the
// logit, outputs of the hidden layers, inputs of the first layer.
struct Rows {
  static constexpr int h1_grad = 0, h2_grad = kHidden, grad = 2 * kHidden, h1 = grad + 1, h2 = h1 + kHidden,
                       inputs = h2 + kHidden;
};

// Four values that lie together, read at once: the beginning of a row and the pixels' number are multiples of 4.
template <class S>
struct alignas(16) Four {
  S v[4];
};

// Shared memory of a block.
template <class S>
struct Shared {
  S *params, *sums, *rows;
  int *flags, *list;
  int stride;  // of the rows; 4 more than the pixels, so that rows begin at different banks

  __host__ __device__ static int64_t bytes(const Sizes& z, int threads) {
    const int64_t values = Arranged{static_cast<int>(z.inputs())}.size() + padded(z.params()) +
                           (Rows::inputs + z.inputs()) * (threads + 4);
    return values * sizeof(S) + 2 * threads * sizeof(int);
  }
  __host__ __device__ static int64_t padded(int64_t count) { return (count + 3) / 4 * 4; }

  __device__ Shared(unsigned char* from, const Sizes& z) {
    params = reinterpret_cast<S*>(from);
    sums = params + Arranged{static_cast<int>(z.inputs())}.size();
    rows = sums + padded(z.params());
    stride = blockDim.x + 4;
    flags = reinterpret_cast<int*>(rows + (Rows::inputs + z.inputs()) * stride);
    list = flags + blockDim.x;
  }
};

// The number of ranks below `rank` that are chunk, chunk + chunks, chunk + 2 chunks, ...
__device__ __forceinline__ int64_t ranks_of_chunk(int64_t rank, int64_t chunk, int64_t chunks) {
  return rank > chunk ? (rank - chunk + chunks - 1) / chunks : 0;
}

// Lists those of instances base to base + blockDim.x that belong to the image and, by their rank among all of that
// image, to the chunk. `before` is the number of the image's instances before base and moves on. Returns the length of
// the list.
template <class S>
__device__ int list_instances(const CudaHead& head, const Shared<S>& shared, int64_t base, int64_t image, int64_t chunk,
                              int64_t chunks, int64_t& before) {
  const int self = threadIdx.x, threads = blockDim.x;
  const int64_t n = base + self;
  __syncthreads();  // nobody reads the last list any more
  shared.flags[self] = n < head.sizes.count && checked_image(head, n) == image;
  __syncthreads();
  int rank = 0, total = 0;
  for (int t = 0; t < threads; ++t) {
    const int flag = shared.flags[t];
    total += flag;
    rank += t < self ? flag : 0;
  }
  const int64_t start = ranks_of_chunk(before, chunk, chunks), own = before + rank;
  if (shared.flags[self] && own % chunks == chunk)
    shared.list[ranks_of_chunk(own, chunk, chunks) - start] = self;
  before += total;
  __syncthreads();
  return static_cast<int>(ranks_of_chunk(before, chunk, chunks) - start);
}

// Fills this thread's column of the rows for a pixel; returns the gradient of the first layer before its relu.
template <class E, int C>
__device__ __forceinline__ Eight<Sum<E>> fill_rows(const Sizes& z, const Arranged& at, const Shared<Sum<E>>& shared,
                                                   const Pixel<E, C>& pixel, Sum<E> grad) {
  typedef Sum<E> S;
  const S* params = shared.params;
  S* column = shared.rows + threadIdx.x;
  const auto keep = [&](int row, S value) { column[row * shared.stride] = value; };
  Eight<S> h1, h2, h2_grad, h1_grad;
  first_layer<1>(z, at, params, &pixel, &h1);
  second_layer<1>(at, params, &h1, &h2);
  const Eight<S> weight3 = eight(params + at.weight3());
#pragma unroll
  for (int j = 0; j < kHidden; ++j) h2_grad.v[j] = h2.v[j] <= S(0) ? S(0) : grad * weight3.v[j];
#pragma unroll
  for (int k = 0; k < kHidden; ++k) {
    const Eight<S> w = eight(params + at.weight2() + k * kHidden);
    S sum = 0;
#pragma unroll
    for (int j = 0; j < kHidden; ++j) sum += w.v[j] * h2_grad.v[j];
    h1_grad.v[k] = h1.v[k] <= S(0) ? S(0) : sum;
  }
#pragma unroll
  for (int k = 0; k < kHidden; ++k) {
    keep(Rows::h1_grad + k, h1_grad.v[k]);
    keep(Rows::h2_grad + k, h2_grad.v[k]);
    keep(Rows::h1 + k, h1.v[k]);
    keep(Rows::h2 + k, h2.v[k]);
  }
  keep(Rows::grad, grad);
  for (int axis = 0; axis < z.coords; ++axis) keep(Rows::inputs + axis, pixel.relative(at, params, axis));
  const int features = Rows::inputs + static_cast<int>(z.coords);
  if constexpr (C > 0) {
#pragma unroll
    for (int c = 0; c < C; ++c) keep(features + c, pixel.kept[c]);
  } else {
    for (int c = 0; c < z.channels; ++c) keep(features + c, pixel.feature(z, c));
  }
  return h1_grad;
}

// Sum over the pixels for parameter i: of the gradient of its output times its input, which is 1 for a bias.
template <class S>
__device__ S sum_over_pixels(const Sizes& z, const Shared<S>& shared, int i) {
  const int weight2 = z.weight2(), weight3 = z.weight3(), bias1 = z.bias1(), inputs = z.inputs();
  int a = Rows::grad, b = -1;
  if (i < weight2) {
    a = Rows::h1_grad + i / inputs;
    b = Rows::inputs + i % inputs;
  } else if (i < weight3) {
    a = Rows::h2_grad + (i - weight2) / kHidden;
    b = Rows::h1 + (i - weight2) % kHidden;
  } else if (i < bias1) {
    b = Rows::h2 + i - weight3;
  } else if (i < bias1 + 2 * kHidden) {
    a = Rows::h1_grad + i - bias1;  // the rows of the second layer follow those of the first, as its biases do
  }
  const Four<S>* of_output = reinterpret_cast<const Four<S>*>(shared.rows + a * shared.stride);
  const Four<S>* of_input = reinterpret_cast<const Four<S>*>(shared.rows + (b < 0 ? a : b) * shared.stride);
  S sums[4] = {};
  for (int p = 0; p < static_cast<int>(blockDim.x) / 4; ++p) {
    const Four<S> x = of_output[p], y = of_input[p];
#pragma unroll
    for (int q = 0; q < 4; ++q) sums[q] += x.v[q] * (b < 0 ? S(1) : y.v[q]);
  }
  return (sums[0] + sums[1]) + (sums[2] + sums[3]);
}

// Gradient of feature c of a pixel from that of the first layer.
template <class S>
__device__ __forceinline__ S feature_gradient(const Sizes& z, const S* params, const Eight<S>& h1_grad, int c) {
  const Eight<S> w = eight(params + (z.coords + c) * kHidden);
  S sum = 0;
#pragma unroll
  for (int k = 0; k < kHidden; ++k) sum += w.v[k] * h1_grad.v[k];
  return sum;
}

template <class E>
struct BackwardArgs {
  CudaHead head;
  const E* grad;
  Sum<E>* feats_shares;   // null: not wanted
  Sum<E>* params_shares;  // null: not wanted
  int64_t tiles, chunks;
};

// blocks that a multiprocessor should hold at once, which bounds the registers of a thread
template <class E>
constexpr int kBlocks = sizeof(Sum<E>) == 4 ? 2 : 1;

template <class E, int C>
__global__ void __launch_bounds__(kMostThreads, kBlocks<E>) backward_kernel(const BackwardArgs<E> args) {
  typedef Sum<E> S;
  extern __shared__ __align__(16) unsigned char shared_bytes[];
  const CudaHead& head = args.head;
  const Sizes& z = head.sizes;
  const Arranged at{static_cast<int>(z.inputs())};
  const Shared<S> shared(shared_bytes, z);
  const int threads = blockDim.x, params = static_cast<int>(z.params());
  const int64_t tile = blockIdx.x % args.tiles, image = blockIdx.x / args.tiles % z.images;
  const int64_t chunk = blockIdx.x / args.tiles / z.images, pixels = z.pixels();
  S* feats_share = args.feats_shares ? args.feats_shares + (chunk * z.images + image) * z.channels * pixels : nullptr;
  Pixel<E, C> own[kPixels];
  int64_t place[kPixels];
  S feats_grad[kPixels][C > 0 ? C : 1] = {};
#pragma unroll
  for (int q = 0; q < kPixels; ++q) {
    place[q] = (tile * kPixels + q) * threads + threadIdx.x;
    own[q].place(z, place[q]);
    own[q].open(head, image);
    if (C == 0 && feats_share && place[q] < pixels)  // then sums are kept there
      for (int64_t c = 0; c < z.channels; ++c) feats_share[c * pixels + place[q]] = 0;
  }
  int64_t before = 0;
  for (int64_t base = 0; base < z.count; base += threads) {
    const int length = list_instances(head, shared, base, image, chunk, args.chunks, before);
    for (int i = 0; i < length; ++i) {
      const int64_t n = base + shared.list[i];
      __syncthreads();  // nobody reads the parameters and rows of the last instance any more
      bring_params<E>(head, at, n, shared.params);
      for (int k = threadIdx.x; k < params; k += threads) shared.sums[k] = 0;
      __syncthreads();
#pragma unroll
      for (int q = 0; q < kPixels; ++q) {
        const bool inside = place[q] < pixels;
        if (q > 0) __syncthreads();  // nobody reads the rows of the last pixels any more
        const Eight<S> h1_grad =
            fill_rows(z, at, shared, own[q], inside ? widen(args.grad[n * pixels + place[q]]) : S(0));
              if (feats_share) {
          if constexpr (C > 0) {
#pragma unroll
            for (int c = 0; c < C; ++c) feats_grad[q][c] += feature_gradient(z, shared.params, h1_grad, c);
          } else if (inside) {
            for (int c = 0; c < z.channels; ++c)
              feats_share[c * pixels + place[q]] += feature_gradient(z, shared.params, h1_grad, c);
          }
        }
        if (args.params_shares == nullptr) continue;
        __syncthreads();
        for (int k = threadIdx.x; k < params; k += threads) shared.sums[k] += sum_over_pixels(z, shared, k);
      }
      if (args.params_shares)
        for (int k = threadIdx.x; k < params; k += threads)
          args.params_shares[(tile * z.count + n) * params + k] = shared.sums[k];
    }
  }
  if constexpr (C > 0) {
    if (feats_share == nullptr) return;
#pragma unroll
    for (int q = 0; q < kPixels; ++q)
      if (place[q] < pixels)
#pragma unroll
        for (int c = 0; c < C; ++c) feats_share[c * pixels + place[q]] = feats_grad[q][c];
  }
}

// out[i] = sum over the parts, in their order.
template <class E>
__global__ void sum_shares(const Sum<E>* shares, const int64_t parts, const int64_t entries, E* out) {
  const int64_t step = static_cast<int64_t>(gridDim.x) * blockDim.x;
  for (int64_t i = static_cast<int64_t>(blockIdx.x) * blockDim.x + threadIdx.x; i < entries; i += step) {
    Sum<E> sum = shares[i];
    for (int64_t part = 1; part < parts; ++part) sum += shares[part * entries + i];
    narrow(sum, out[i]);
  }
}

template <class E>
int start_sum(const void* shares, int64_t parts, int64_t entries, void* out, cudaStream_t stream) {
  const int64_t blocks = (entries + 255) / 256;
  sum_shares<E><<<static_cast<unsigned>(blocks < 65536 ? blocks : 65536), 256, 0, stream>>>(
      static_cast<const Sum<E>*>(shares), parts, entries, static_cast<E*>(out));
  return cudaGetLastError();
}

template <class E>
int start(const CudaHead& head, const BackwardPlan& plan, const void* grad, void* feats_grad, void* params_grad,
          void* feats_shares, void* params_shares, cudaStream_t stream) {
  const Sizes& z = head.sizes;
  const int64_t blocks = plan.tiles * z.images * plan.chunks;
  if (blocks > INT_MAX) return cudaErrorInvalidConfiguration;
  const BackwardArgs<E> args{head, static_cast<const E*>(grad),
                             feats_grad ? static_cast<Sum<E>*>(feats_shares) : nullptr,
                             params_grad ? static_cast<Sum<E>*>(params_shares) : nullptr, plan.tiles, plan.chunks};
  if (z.channels == 8)
    backward_kernel<E, 8><<<static_cast<unsigned>(blocks), plan.threads, plan.shared_bytes, stream>>>(args);
  else
    backward_kernel<E, 0><<<static_cast<unsigned>(blocks), plan.threads, plan.shared_bytes, stream>>>(args);
  int error = cudaGetLastError();
  if (error == cudaSuccess && feats_grad)
    error = start_sum<E>(feats_shares, plan.chunks, z.images * z.channels * z.pixels(), feats_grad, stream);
  if (error == cudaSuccess && params_grad)
    error = start_sum<E>(params_shares, plan.tiles, z.count * z.params(), params_grad, stream);
  return error;
}

}  // namespace

BackwardPlan backward_plan(const Sizes& z, bool in_double) {
  BackwardPlan plan{};
  for (int threads : {kMostThreads, 128, 96, 64, 32}) {
    plan.threads = threads;
    plan.shared_bytes = in_double ? Shared<double>::bytes(z, threads) : Shared<float>::bytes(z, threads);
    if (plan.shared_bytes <= kMostShared) break;
  }
  const int64_t tile = static_cast<int64_t>(plan.threads) * kPixels;
  plan.tiles = (z.pixels() + tile - 1) / tile;
  const int64_t wanted = (kWantedBlocks + plan.tiles * z.images - 1) / (plan.tiles * z.images);
  plan.chunks = wanted < z.count ? wanted : z.count;
  return plan;
}

int launch_backward(const CudaHead& head, const BackwardPlan& plan, const void* grad, void* feats_grad,
                    void* params_grad, void* feats_shares, void* params_shares, void* stream_) {
  const cudaStream_t stream = static_cast<cudaStream_t>(stream_);
  return with_type(head.element, [&](auto type) {
    return start<decltype(type)>(head, plan, grad, feats_grad, params_grad, feats_shares, params_shares, stream);
  });
}

}  // namespace vis::mask_head
