// CPU registration of the local correlation on torch's stable ABI.
//
// bfloat16 and float16 run on float32 copies and come back in their own dtype, so all sums are float32.
#include <torch/csrc/stable/library.h>

#include <optional>
#include <tuple>

#include "checks.h"
#include "kernel.h"

namespace {

using namespace vis;
using vis::correlation::BackwardArgs;
using vis::correlation::Epilogue;
using vis::correlation::ForwardArgs;
using vis::correlation::KernelsOf;
using vis::correlation::Sizes;
using vis::correlation::kOp;

template <class T>
const KernelsOf<T>& kernels_of() {
  const vis::correlation::Kernels& kernels = VIS_KERNELS(vis::correlation, kernels)();
  if constexpr (sizeof(T) == 8)
    return kernels.of_double;
  else
    return kernels.of_float;
}

template <class T>
Epilogue<T> epilogue(const Sizes& z, bool normalize, double negative_slope) {
  return {normalize ? T(1) / static_cast<T>(z.channels) : T(1), static_cast<T>(negative_slope)};
}

template <class T>
void pack(const KernelsOf<T>& kernels, const Sizes& z, const Tensor& map, Tensor& rows) {
  const T* from = map.const_data_ptr<T>();
  T* to = rows.mutable_data_ptr<T>();
  torch::stable::parallel_for(0, kernels.pack_jobs(z), 1,
                              [&](int64_t begin, int64_t end) { kernels.pack(z, from, to, begin, end); });
}

template <class T>
void run_forward(const Sizes& z, const Epilogue<T>& epilogue, const Tensor& a, const Tensor& b, Tensor& out) {
  const KernelsOf<T>& kernels = kernels_of<T>();
  Tensor rows = torch::stable::new_empty(b, {z.count * z.height * kernels.packed_row(z)});
  pack(kernels, z, b, rows);
  const ForwardArgs<T> args{z, epilogue, a.const_data_ptr<T>(), b.const_data_ptr<T>(), out.mutable_data_ptr<T>(),
                            rows.mutable_data_ptr<T>()};
  torch::stable::parallel_for(0, kernels.forward_jobs(z), 1,
                              [&](int64_t begin, int64_t end) { kernels.forward(args, begin, end); });
}

Tensor local_correlation(const Tensor& a_, const Tensor& b_, int64_t patch_size, int64_t dilation, bool normalize,
                         double negative_slope) {
  const Sizes z = vis::correlation::checked_sizes(a_, b_, patch_size, dilation, negative_slope);
  const Tensor a = working_copy(a_, kOp), b = working_copy(b_, kOp);
  Tensor out = torch::stable::new_empty(a, {z.count, z.patch() * z.patch(), z.height, z.width});
  if (out.numel() > 0) {
    if (a.scalar_type() == ScalarType::Double)
      run_forward(z, epilogue<double>(z, normalize, negative_slope), a, b, out);
    else
      run_forward(z, epilogue<float>(z, normalize, negative_slope), a, b, out);
  }
  return in_dtype(out, a_.scalar_type());
}

template <class T>
void run_backward(const Sizes& z, const Epilogue<T>& epilogue, const Tensor& grad, const Tensor* out, const Tensor& a,
                  const Tensor& b, Tensor& a_grad, Tensor& b_grad) {
  const KernelsOf<T>& kernels = kernels_of<T>();
  Tensor rows = torch::stable::new_empty(a, {z.count * z.height * kernels.packed_row(z)});
  Tensor weights = torch::stable::new_empty(a, {z.count * z.height * kernels.packed_weights(z)});
  for (const bool mirrored : {false, true}) {
    Tensor& result = mirrored ? b_grad : a_grad;
    if (result.numel() == 0) continue;
    const Tensor& source = mirrored ? a : b;
    pack(kernels, z, source, rows);
    const BackwardArgs<T> args{z,
                               epilogue,
                               mirrored,
                               grad.const_data_ptr<T>(),
                               out ? out->const_data_ptr<T>() : nullptr,
                               result.mutable_data_ptr<T>(),
                               rows.mutable_data_ptr<T>(),
                               weights.mutable_data_ptr<T>()};
    torch::stable::parallel_for(0, z.count * z.height, 1,
                                [&](int64_t begin, int64_t end) { kernels.pack_weights(args, begin, end); });
    torch::stable::parallel_for(0, kernels.backward_jobs(z), 1,
                                [&](int64_t begin, int64_t end) { kernels.backward(args, begin, end); });
  }
}

std::tuple<Tensor, Tensor> local_correlation_backward(const Tensor& grad_, const Tensor& a_, const Tensor& b_,
                                                      const std::optional<Tensor>& out_, int64_t patch_size,
                                                      int64_t dilation, bool normalize, double negative_slope,
                                                      bool need_a, bool need_b) {
  const Sizes z = vis::correlation::checked_sizes(a_, b_, patch_size, dilation, negative_slope);
  vis::correlation::check_gradient(grad_, out_, a_, z, negative_slope);
  const Tensor grad = working_copy(grad_, kOp), a = working_copy(a_, kOp), b = working_copy(b_, kOp);
  std::optional<Tensor> out;
  if (negative_slope != 1) out = working_copy(*out_, kOp);
  const auto wanted = [&](bool need) {
    return need ? torch::stable::new_empty(a, {z.count, z.channels, z.height, z.width})
                : torch::stable::new_empty(a, {0});
  };
  Tensor a_grad = wanted(need_a), b_grad = wanted(need_b);
  const Tensor* kept = out ? &*out : nullptr;
  if (a_grad.numel() + b_grad.numel() > 0) {
    if (a.scalar_type() == ScalarType::Double)
      run_backward(z, epilogue<double>(z, normalize, negative_slope), grad, kept, a, b, a_grad, b_grad);
    else
      run_backward(z, epilogue<float>(z, normalize, negative_slope), grad, kept, a, b, a_grad, b_grad);
  }
  return {in_dtype(a_grad, a_.scalar_type()), in_dtype(b_grad, a_.scalar_type())};
}

}  // namespace

STABLE_TORCH_LIBRARY_IMPL(vis_projects, CPU, m) {
  m.impl("local_correlation", TORCH_BOX(&local_correlation));
  m.impl("local_correlation_backward", TORCH_BOX(&local_correlation_backward));
}
