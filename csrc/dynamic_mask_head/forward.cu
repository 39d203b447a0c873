// Forward pass of the dynamic mask head on CUDA: a block has a tile of pixels and a few instances, whose parameters all
// of its threads read from shared memory. A thread keeps the features of its pixels in registers while instances of one
// image pass; the logits are all that is written.
#include "device.cuh"

namespace vis::mask_head {

namespace {

constexpr int kThreads = 128;
constexpr int kPixels = 2;     // of a thread
constexpr int kInstances = 4;  // of a block

// blocks that a multiprocessor should hold at once, which bounds the registers of a thread
template <class E>
constexpr int kBlocks = sizeof(Sum<E>) == 4 ? 4 : 1;

template <class E, int C>
__global__ void __launch_bounds__(kThreads, kBlocks<E>)
    forward_kernel(const CudaHead head, const int64_t tiles, E* out) {
  typedef Sum<E> S;
  extern __shared__ __align__(16) unsigned char shared_bytes[];
  S* params = reinterpret_cast<S*>(shared_bytes);
  const Sizes& z = head.sizes;
  const Arranged at{static_cast<int>(z.inputs())};
  const int64_t tile = blockIdx.x % tiles, first = blockIdx.x / tiles * kInstances;
  const int count = static_cast<int>(z.count - first < kInstances ? z.count - first : kInstances);
  for (int i = 0; i < count; ++i) bring_params<E>(head, at, first + i, params + i * at.size());
  __syncthreads();
  Pixel<E, C> pixels[kPixels];
  int64_t place[kPixels];
#pragma unroll
  for (int q = 0; q < kPixels; ++q) {
    place[q] = (tile * kPixels + q) * kThreads + threadIdx.x;
    pixels[q].place(z, place[q]);
  }
  int64_t opened = -1;
  for (int i = 0; i < count; ++i) {
    const int64_t image = checked_image(head, first + i);
    const S* own = params + i * at.size();
if (image != opened) {
#pragma unroll
      for (int q = 0; q < kPixels; ++q) pixels[q].open(head, image);
    }
    Eight<S> h1[kPixels], h2[kPixels];
    first_layer<kPixels>(z, at, own, pixels, h1);
    second_layer<kPixels>(at, own, h1, h2);
    const Eight<S> weights = eight(own + at.weight3());
#pragma unroll
    for (int q = 0; q < kPixels; ++q) {
      S logit = own[at.bias3()];
#pragma unroll
      for (int j = 0; j < kHidden; ++j) logit += h2[q].v[j] * weights.v[j];
      if (place[q] < z.pixels()) narrow(logit, out[(first + i) * z.pixels() + place[q]]);
    }
    opened = image;
  }
}

template <class E, int C>
int start(const CudaHead& head, void* out, cudaStream_t stream) {
  const Sizes& z = head.sizes;
  const int64_t tiles = (z.pixels() + kThreads * kPixels - 1) / (kThreads * kPixels);
  const int64_t blocks = tiles * ((z.count + kInstances - 1) / kInstances);
  if (blocks > INT_MAX) return cudaErrorInvalidConfiguration;
  const size_t shared = sizeof(Sum<E>) * kInstances * Arranged{static_cast<int>(z.inputs())}.size();
  forward_kernel<E, C><<<static_cast<unsigned>(blocks), kThreads, shared, stream>>>(head, tiles, static_cast<E*>(out));
  return cudaGetLastError();
}

template <class E>
int start(const CudaHead& head, void* out, cudaStream_t stream) {
  return head.sizes.channels == 8 ? start<E, 8>(head, out, stream) : start<E, 0>(head, out, stream);
}

}  // namespace

int launch_forward(const CudaHead& head, void* out, void* stream_) {
  const cudaStream_t stream = static_cast<cudaStream_t>(stream_);
  return with_type(head.element, [&](auto type) { return start<decltype(type)>(head, out, stream); });
}

}  // namespace vis::mask_head
