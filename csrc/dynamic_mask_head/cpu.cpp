// CPU registration of the dynamic mask head on torch's stable ABI.
//
// bfloat16 and float16 run on float32 copies and come back in their own dtype, so all sums are float32.
#include <torch/csrc/stable/library.h>

#include <algorithm>
#include <optional>
#include <tuple>

#include "checks.h"
#include "kernel.h"

namespace {

using namespace vis;
using vis::mask_head::Cut;
using vis::mask_head::HeadArgs;
using vis::mask_head::kTile;
using vis::mask_head::Sizes;
using vis::mask_head::kOp;

constexpr int64_t kSharesBytes = 3 << 19;  // of the parts' shares of the gradient of params, together

// The inputs of a call as the kernels take them.
struct Call {
  Sizes sizes;
  Tensor feats, params, im_inds;
  std::optional<Tensor> locations, soi;

  Call(const Tensor& feats_, const Tensor& params_, const std::optional<Tensor>& locations_,
       const std::optional<Tensor>& soi_, int64_t stride, const Tensor& im_inds_)
      : sizes(vis::mask_head::checked_sizes(feats_, params_, locations_, soi_, stride, im_inds_)),
        feats(working_copy(feats_, kOp)), params(working_copy(params_, kOp)),
        im_inds(torch::stable::contiguous(im_inds_)) {
    if (locations_) {
      locations = torch::stable::contiguous(in_dtype(*locations_, ScalarType::Double));
      soi = torch::stable::contiguous(in_dtype(*soi_, ScalarType::Double));
    }
    const int64_t* entries = im_inds.const_data_ptr<int64_t>();
    for (int64_t n = 0; n < sizes.count; ++n)
      STD_TORCH_CHECK(entries[n] >= 0 && entries[n] < sizes.images, "dynamic_mask_head: im_inds[", n, "] is ",
                      entries[n], ", but mask_feats has ", sizes.images, " images");
  }

  bool in_double() const { return feats.scalar_type() == ScalarType::Double; }

  template <class T>
  HeadArgs<T> args() const {
    return {sizes,
            feats.const_data_ptr<T>(),
            params.const_data_ptr<T>(),
            locations ? locations->const_data_ptr<double>() : nullptr,
            soi ? soi->const_data_ptr<double>() : nullptr,
            im_inds.const_data_ptr<int64_t>()};
  }
};

template <class T>
void run_forward(const Call& call, Tensor& out,
                 void (*kernel)(const vis::mask_head::ForwardArgs<T>&, const Cut&, int64_t, int64_t)) {
  const vis::mask_head::ForwardArgs<T> args{call.args<T>(), out.mutable_data_ptr<T>()};
  const Cut cut(call.sizes.pixels(), std::max<int64_t>(call.sizes.pixels() / (2 * kTile), 1));
  torch::stable::parallel_for(0, call.sizes.images * cut.parts, 1,
                              [&](int64_t begin, int64_t end) { kernel(args, cut, begin, end); });
}

Tensor dynamic_mask_head(const Tensor& feats, const Tensor& params, const std::optional<Tensor>& locations,
                         const std::optional<Tensor>& soi, int64_t stride, const Tensor& im_inds) {
  const Call call(feats, params, locations, soi, stride, im_inds);
  const Sizes& z = call.sizes;
  Tensor out = torch::stable::new_empty(call.feats, {z.count, 1, z.height, z.width});
  if (out.numel() > 0) {
    const vis::mask_head::Kernels& kernels = VIS_KERNELS(vis::mask_head, kernels)();
    if (call.in_double())
      run_forward<double>(call, out, kernels.forward_double);
    else
      run_forward<float>(call, out, kernels.forward_float);
  }
  return in_dtype(out, feats.scalar_type());
}

// Parts of an image in the backward pass: enough for many threads, as few as keep the shares small.
Cut backward_cut(const Sizes& z, int64_t element_bytes) {
  const int64_t share = std::max<int64_t>(z.count * z.params() * element_bytes, 1);
  const int64_t most = std::min(std::clamp<int64_t>(kSharesBytes / share, 4, 64), z.pixels() / (4 * kTile));
  return Cut(z.pixels(), std::max<int64_t>(most, 1));
}

template <class T>
void run_backward(const Call& call, const Tensor& grad, Tensor& feats_grad, Tensor& params_grad,
                  void (*kernel)(const vis::mask_head::BackwardArgs<T>&, const Cut&, int64_t, int64_t)) {
  const Sizes& z = call.sizes;
  const Cut cut = backward_cut(z, sizeof(T));
  const bool need_params = params_grad.numel() > 0, in_shares = need_params && cut.parts > 1;
  Tensor shares = torch::stable::new_empty(call.feats, {in_shares ? cut.parts : 0, z.count, z.params()});
  T* whole = need_params ? params_grad.mutable_data_ptr<T>() : nullptr;
  const vis::mask_head::BackwardArgs<T> args{call.args<T>(), grad.const_data_ptr<T>(),
                                             feats_grad.numel() ? feats_grad.mutable_data_ptr<T>() : nullptr,
                                             in_shares ? shares.mutable_data_ptr<T>() : whole};
  torch::stable::parallel_for(0, z.images * cut.parts, 1,
                              [&](int64_t begin, int64_t end) { kernel(args, cut, begin, end); });
  if (!in_shares) return;
  const T* share = args.params_grad;
  const int64_t entries = z.count * z.params();
  for (int64_t i = 0; i < entries; ++i) whole[i] = share[i];
  for (int64_t part = 1; part < cut.parts; ++part)
    for (int64_t i = 0; i < entries; ++i) whole[i] += share[part * entries + i];
}

std::tuple<Tensor, Tensor> dynamic_mask_head_backward(const Tensor& grad_, const Tensor& feats, const Tensor& params,
                                                      const std::optional<Tensor>& locations,
                                                      const std::optional<Tensor>& soi, int64_t stride,
                                                      const Tensor& im_inds, bool need_feats, bool need_params) {
  const Call call(feats, params, locations, soi, stride, im_inds);
  const Sizes& z = call.sizes;
  vis::mask_head::check_gradient(grad_, params, z);
  const Tensor grad = working_copy(grad_, kOp);
  Tensor feats_grad = empty_if(need_feats, call.feats, {z.images, z.channels, z.height, z.width});
  Tensor params_grad = empty_if(need_params, call.feats, {z.count, z.params()});
  if (z.pixels() == 0) {
    torch::stable::zero_(params_grad);
  } else if (feats_grad.numel() + params_grad.numel() > 0) {
    const vis::mask_head::Kernels& kernels = VIS_KERNELS(vis::mask_head, kernels)();
    if (call.in_double())
      run_backward<double>(call, grad, feats_grad, params_grad, kernels.backward_double);
    else
      run_backward<float>(call, grad, feats_grad, params_grad, kernels.backward_float);
  }
  return {in_dtype(feats_grad, feats.scalar_type()), in_dtype(params_grad, feats.scalar_type())};
}

}  // namespace

STABLE_TORCH_LIBRARY_IMPL(vis_projects, CPU, m) {
  m.impl("dynamic_mask_head", TORCH_BOX(&dynamic_mask_head));
  m.impl("dynamic_mask_head_backward", TORCH_BOX(&dynamic_mask_head_backward));
}
