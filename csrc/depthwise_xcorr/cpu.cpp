// CPU registration of the depth-wise cross-correlation on torch's stable ABI.
//
// bfloat16 and float16 run on float32 copies and come back in their own dtype, so all sums are float32.
#include <torch/csrc/stable/library.h>

#include <cstring>
#include <optional>
#include <tuple>
#include <vector>

#include "checks.h"
#include "kernel.h"

namespace {

using namespace vis;
using vis::xcorr::Sizes;
using vis::xcorr::kOp;

// The templates of each search map, in their order.
struct OwnedGroups {
  std::vector<int64_t> begin, order;
  bool uneven;

  OwnedGroups(const Sizes& z, const std::optional<Tensor>& image_index)
      : begin(z.maps + 1), order(z.count), uneven(image_index.has_value()) {
    std::vector<int64_t> map_of(z.count);
    if (image_index) {
      const Tensor index = torch::stable::contiguous(*image_index);
      const int64_t* entries = index.const_data_ptr<int64_t>();
      for (int64_t n = 0; n < z.count; ++n) {
        STD_TORCH_CHECK(entries[n] >= 0 && entries[n] < z.maps, "depthwise_xcorr: image_index[", n, "] is ", entries[n],
                        ", but there are ", z.maps, " search maps");
        map_of[n] = entries[n];
      }
    } else if (z.maps > 1) {
      for (int64_t n = 0; n < z.count; ++n) map_of[n] = n;
    }
    for (int64_t map : map_of) ++begin[map + 1];
    for (int64_t map = 0; map < z.maps; ++map) begin[map + 1] += begin[map];
    std::vector<int64_t> next(begin.begin(), begin.end() - 1);
    for (int64_t n = 0; n < z.count; ++n) order[next[map_of[n]]++] = n;
  }

  vis::xcorr::Groups view() const { return {begin.data(), order.data(), uneven}; }
};

template <class T>
void run_forward(const Sizes& z, const OwnedGroups& groups, const Tensor& search, const Tensor& filter, Tensor& out,
                 void (*kernel)(const vis::xcorr::ForwardArgs<T>&, int64_t, int64_t)) {
  const vis::xcorr::ForwardArgs<T> args{z, groups.view(), search.const_data_ptr<T>(), filter.const_data_ptr<T>(),
                                        out.mutable_data_ptr<T>()};
  torch::stable::parallel_for(0, z.maps * z.channels, 1, [&](int64_t begin, int64_t end) { kernel(args, begin, end); });
}

Tensor depthwise_xcorr(const Tensor& search_, const Tensor& filter_, int64_t padding,
                       const std::optional<Tensor>& image_index) {
  const Sizes z = vis::xcorr::checked_sizes(search_, filter_, padding, image_index);
  const OwnedGroups groups(z, image_index);
  const Tensor search = working_copy(search_, kOp), filter = working_copy(filter_, kOp);
  Tensor out = torch::stable::new_empty(search, {z.count, z.channels, z.out_height(), z.out_width()});
  if (z.count > 0 && z.channels > 0) {
    const vis::xcorr::Kernels& kernels = VIS_KERNELS(vis::xcorr, kernels)();
    if (search.scalar_type() == ScalarType::Double)
      run_forward<double>(z, groups, search, filter, out, kernels.forward_double);
    else
      run_forward<float>(z, groups, search, filter, out, kernels.forward_float);
  }
  return in_dtype(out, search_.scalar_type());
}

template <class T>
void run_backward(const Sizes& z, const OwnedGroups& groups, const Tensor& grad, const Tensor& search,
                  const Tensor& filter, Tensor& search_grad, Tensor& filter_grad,
                  void (*kernel)(const vis::xcorr::BackwardArgs<T>&, int64_t, int64_t)) {
  const vis::xcorr::BackwardArgs<T> args{
      z,
      groups.view(),
      grad.const_data_ptr<T>(),
      search.const_data_ptr<T>(),
      filter.const_data_ptr<T>(),
      search_grad.numel() ? search_grad.mutable_data_ptr<T>() : nullptr,
      filter_grad.numel() ? filter_grad.mutable_data_ptr<T>() : nullptr};
  torch::stable::parallel_for(0, z.maps * z.channels, 1, [&](int64_t begin, int64_t end) { kernel(args, begin, end); });
}

std::tuple<Tensor, Tensor> depthwise_xcorr_backward(const Tensor& grad_, const Tensor& search_, const Tensor& filter_,
                                                    int64_t padding, const std::optional<Tensor>& image_index,
                                                    bool need_search, bool need_filter) {
  const Sizes z = vis::xcorr::checked_sizes(search_, filter_, padding, image_index);
  vis::xcorr::check_gradient(grad_, filter_, z);
  const OwnedGroups groups(z, image_index);
  const Tensor grad = working_copy(grad_, kOp);
  const Tensor search = working_copy(search_, kOp), filter = working_copy(filter_, kOp);
  Tensor search_grad = empty_if(need_search, search, {z.maps, z.channels, z.height, z.width});
  Tensor filter_grad = empty_if(need_filter, search, {z.count, z.channels, z.rows, z.columns});
  if (search_grad.numel() + filter_grad.numel() > 0) {
    const vis::xcorr::Kernels& kernels = VIS_KERNELS(vis::xcorr, kernels)();
    if (search.scalar_type() == ScalarType::Double)
      run_backward<double>(z, groups, grad, search, filter, search_grad, filter_grad, kernels.backward_double);
    else
      run_backward<float>(z, groups, grad, search, filter, search_grad, filter_grad, kernels.backward_float);
  }
  return {in_dtype(search_grad, search_.scalar_type()), in_dtype(filter_grad, search_.scalar_type())};
}

}  // namespace

STABLE_TORCH_LIBRARY_IMPL(vis_projects, CPU, m) {
  m.impl("depthwise_xcorr", TORCH_BOX(&depthwise_xcorr));
  m.impl("depthwise_xcorr_backward", TORCH_BOX(&depthwise_xcorr_backward));
}
