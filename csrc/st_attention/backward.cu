// CUDA backward passes of the spatial-temporal attention.
#include "launch.cuh"

namespace vis::attention {

namespace {

template <class T>
struct ProductArgs {
  Sizes sizes;
  Planes<const T> grad, out;
  Sum<T>* products;
};

// a thread has one query; neighbours read neighbouring pixels
template <class T>
__global__ void __launch_bounds__(kThreads) multiply(const ProductArgs<T> args) {
  const Sizes& z = args.sizes;
  const int64_t step = static_cast<int64_t>(gridDim.x) * kThreads;
  for (int64_t n = static_cast<int64_t>(blockIdx.x) * kThreads + threadIdx.x; n < z.maps * z.pixels(); n += step) {
    const int64_t map = n / z.pixels(), at = n % z.pixels();
    const T* grad = args.grad.data + map * args.grad.map_stride + at;
    const T* out = args.out.data + map * args.out.map_stride + at;
    Sum<T> sum = 0;
    for (int64_t c = 0; c < z.value_channels; ++c)
      sum += widen(grad[c * args.grad.channel_stride]) * widen(out[c * args.out.channel_stride]);
    args.products[n] = sum;
  }
}

}  // namespace

int products_cuda(const CudaCall& call, const Planes<const void>& grad, const Planes<const void>& out, void* products) {
  return with_type(call.element, [&](auto type) {
    using T = decltype(type);
    const ProductArgs<T> args{call.sizes, typed<T>(grad), typed<T>(out), static_cast<Sum<T>*>(products)};
    const unsigned blocks = blocks_for(call.sizes.maps * call.sizes.pixels());
    multiply<T><<<blocks, kThreads, 0, static_cast<cudaStream_t>(call.stream)>>>(args);
    return static_cast<int>(cudaGetLastError());
  });
}

int gradient_cuda(Pass pass, const CudaCall& call, const Plan& plan, const BackwardInputs& inputs, void* workspace,
                  void* result) {
  return with_type(call.element, [&](auto type) {
    using T = decltype(type);
    KernelArgs<T> args = kernel_args<T>(pass, call, plan, workspace);
    args.grad = typed<T>(inputs.grad);
    args.log_sum = static_cast<const Sum<T>*>(inputs.log_sum);
    args.products = static_cast<const Sum<T>*>(inputs.products);
    if (pass == Pass::kQueryGrad) return run_pass<Pass::kQueryGrad, T>(args, call.scale, result, nullptr, call.stream);
    if (pass == Pass::kKeyGrad) return run_pass<Pass::kKeyGrad, T>(args, call.scale, result, nullptr, call.stream);
    return run_pass<Pass::kValueGrad, T>(args, 1.0, result, nullptr, call.stream);
  });
}

}  // namespace vis::attention
