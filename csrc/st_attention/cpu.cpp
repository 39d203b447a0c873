// CPU registration of the spatial-temporal attention on torch's stable ABI.
//
// bfloat16 and float16 run on float32 copies and come back in their own dtype, so logits, softmax and sums are float32.
#include <torch/csrc/stable/library.h>

#include <algorithm>
#include <optional>
#include <tuple>
#include <vector>

#include "checks.h"
#include "common/scratch.h"
#include "kernel.h"

namespace {

using namespace vis;
using namespace vis::attention;

// Cuts of the backward pass. They bound the working memory and the jobs that threads share.
constexpr int64_t kMaxGroups = 32, kMinGroupKeys = 48;
constexpr int64_t kMaxBlock = 112, kMinBlock = 24, kBlockBytes = 160 << 10;
constexpr int64_t kShareBytes = 8 << 20, kMaxTiles = 16;

// The query maps of each key set, in their order.
struct SetQueries {
  std::vector<int64_t> order;
  std::vector<Queries> of_set;

  SetQueries(const Sizes& z, const std::optional<Tensor>& image_index) : order(z.maps) {
    std::vector<int64_t> set_of(z.maps), begin(z.sets + 1);
    if (image_index) {
      const Tensor index = torch::stable::contiguous(*image_index);
      const int64_t* entries = index.const_data_ptr<int64_t>();
      for (int64_t n = 0; n < z.maps; ++n) {
        STD_TORCH_CHECK(entries[n] >= 0 && entries[n] < z.sets, "st_attention: image_index[", n, "] is ", entries[n],
                        ", but there are ", z.sets, " key sets");
        set_of[n] = entries[n];
      }
    } else if (z.sets > 1) {
      for (int64_t n = 0; n < z.maps; ++n) set_of[n] = n;
    }
    for (int64_t set : set_of) ++begin[set + 1];
    for (int64_t set = 0; set < z.sets; ++set) begin[set + 1] += begin[set];
    for (int64_t set = 0; set < z.sets; ++set)
      of_set.push_back({order.data() + begin[set], (begin[set + 1] - begin[set]) * z.pixels()});
    for (int64_t n = 0; n < z.maps; ++n) order[begin[set_of[n]]++] = n;
  }

  bool each_has_some() const {
    return std::all_of(of_set.begin(), of_set.end(), [](const Queries& queries) { return queries.count > 0; });
  }
};

// In the dtype that the kernels compute in, with dense maps; a view of frames is not copied.
Tensor dense_copy(const Tensor& tensor) { return with_dense_maps(in_working_dtype(tensor, kOp)); }

// The inputs of a call as the kernels take them.
struct Call {
  Sizes sizes;
  SetQueries queries;
  Tensor query, key, value;
  double scale;

  Call(const Tensor& query_, const Tensor& key_, const Tensor& value_, double scale_,
       const std::optional<Tensor>& image_index)
      : sizes(checked_sizes(query_, key_, value_, image_index)), queries(sizes, image_index),
        query(dense_copy(query_)), key(dense_copy(key_)), value(dense_copy(value_)), scale(scale_) {}

  bool in_double() const { return query.scalar_type() == ScalarType::Double; }

  template <class T>
  Inputs<T> inputs() const {
    return {sizes, static_cast<T>(scale), map_planes(query, query.const_data_ptr<T>()),
            frame_planes(key, key.const_data_ptr<T>()), frame_planes(value, value.const_data_ptr<T>())};
  }
};

Planes<const double> log_sum_planes(const double* data, const Sizes& z) { return {data, z.pixels(), 0, 0}; }
Planes<const float> log_sum_planes(const float* data, const Sizes& z) { return {data, z.pixels(), 0, 0}; }

template <class T>
void run_forward(const Call& call, Tensor& out, Tensor& log_sum, const KernelsOf<T>& kernels) {
  const Sizes& z = call.sizes;
  std::vector<int64_t> first_column(z.sets + 1);
  for (int64_t set = 0; set < z.sets; ++set)
    first_column[set + 1] = first_column[set] + (call.queries.of_set[set].count + kernels.column - 1) / kernels.column;
  const ForwardArgs<T> args{call.inputs<T>(), call.queries.of_set.data(), first_column.data(),
                            map_planes(out, out.mutable_data_ptr<T>()),
                            {log_sum.mutable_data_ptr<T>(), z.pixels(), 0, 0}};
  torch::stable::parallel_for(0, first_column.back(), 1,
                              [&](int64_t begin, int64_t end) { kernels.forward(args, begin, end); });
}

std::tuple<Tensor, Tensor> st_attention(const Tensor& query, const Tensor& key, const Tensor& value, double scale,
                                        const std::optional<Tensor>& image_index) {
  const Call call(query, key, value, scale, image_index);
  const Sizes& z = call.sizes;
  Tensor out = torch::stable::new_empty(call.query, {z.maps, z.value_channels, z.height, z.width});
  Tensor log_sum = torch::stable::new_empty(call.query, {z.maps, z.height, z.width});
  if (out.numel() > 0) {
    const Kernels& kernels = VIS_KERNELS(vis::attention, kernels)();
    if (call.in_double())
      run_forward<double>(call, out, log_sum, kernels.for_double);
    else
      run_forward<float>(call, out, log_sum, kernels.for_float);
  }
  return {in_dtype(out, query.scalar_type()), log_sum};
}

struct Gradients {
  Tensor query, key, value;
};

template <class T>
Planes<T> wanted_planes(const Tensor& tensor, bool frames) {
  if (tensor.numel() == 0) return {nullptr, 0, 0, 0};
  T* data = tensor.mutable_data_ptr<T>();
  return frames ? frame_planes(tensor, data) : map_planes(tensor, data);
}

template <class T>
void run_backward(const Call& call, const Tensor& grad, const Tensor& out, const Tensor& log_sum, const Gradients& to,
                  const KernelsOf<T>& kernels) {
  const Sizes& z = call.sizes;
  BackwardArgs<T> args{};
  args.inputs = call.inputs<T>();
  args.grad = map_planes(grad, grad.const_data_ptr<T>());
  args.out = map_planes(out, out.const_data_ptr<T>());
  args.log_sum = log_sum_planes(log_sum.const_data_ptr<T>(), z);
  args.query_grad = wanted_planes<T>(to.query, false);
  args.key_grad = wanted_planes<T>(to.key, true);
  args.value_grad = wanted_planes<T>(to.value, true);
  args.groups = std::min(kMaxGroups, (z.keys() + kMinGroupKeys - 1) / kMinGroupKeys);
  const int64_t key_bytes = (2 * (z.channels + z.value_channels + kTileStride)) * static_cast<int64_t>(sizeof(T));
  const int64_t block = std::clamp(kBlockBytes / key_bytes, kMinBlock, kMaxBlock);
  args.blocks = ((z.keys() + block - 1) / block + args.groups - 1) / args.groups * args.groups;  // as many in each group
  const int64_t share_bytes = args.groups * args.share_size() * static_cast<int64_t>(sizeof(T));
  const int64_t most = std::clamp<int64_t>(kShareBytes / share_bytes, 1, kMaxTiles) * kTile;
  for (args.set = 0; args.set < z.sets; ++args.set) {
    args.queries = call.queries.of_set[args.set];
    for (args.first = 0; args.first < args.queries.count; args.first += most) {
      args.tiles = (std::min(most, args.queries.count - args.first) + kTile - 1) / kTile;
      args.packed = static_cast<T*>(vis::scratch(sizeof(T) * args.tiles * args.packed_tile_size(z), 6));
      args.shares = static_cast<T*>(vis::scratch(args.query_grad.data ? share_bytes * args.tiles : 0, 7));
      const auto run = [&](int64_t jobs, void (*kernel)(const BackwardArgs<T>&, int64_t, int64_t)) {
        torch::stable::parallel_for(0, jobs, 1, [&](int64_t begin, int64_t end) { kernel(args, begin, end); });
      };
      run(args.tiles, kernels.prepare);
      run(args.groups, kernels.accumulate);
      if (args.query_grad.data) run(args.tiles, kernels.finish);
    }
  }
}

std::tuple<Tensor, Tensor, Tensor> st_attention_backward(const Tensor& grad, const Tensor& query, const Tensor& key,
                                                         const Tensor& value, const Tensor& output,
                                                         const Tensor& log_sum, double scale,
                                                         const std::optional<Tensor>& image_index, bool need_query,
                                                         bool need_key, bool need_value) {
  const Call call(query, key, value, scale, image_index);
  const Sizes& z = call.sizes;
  check_backward(grad, query, output, log_sum, z);
  const bool all_written = z.maps > 0 && call.queries.each_has_some();  // a set without queries gets a gradient of 0
  const auto make = [&](bool need, std::vector<int64_t> shape) {
    if (!need) shape = {0};
    return all_written ? torch::stable::new_empty(call.query, shape) : torch::stable::new_zeros(call.query, shape);
  };
  const Gradients to{make(need_query, {z.maps, z.channels, z.height, z.width}),
                     make(need_key, {z.sets, z.frames, z.channels, z.key_height, z.key_width}),
                     make(need_value, {z.sets, z.frames, z.value_channels, z.key_height, z.key_width})};
  if (output.numel() > 0 && (need_query || need_key || need_value)) {
    const Tensor work_grad = dense_copy(grad), work_out = dense_copy(output);
    const Tensor work_sum = torch::stable::contiguous(log_sum);
    const Kernels& kernels = VIS_KERNELS(vis::attention, kernels)();
    if (call.in_double())
      run_backward<double>(call, work_grad, work_out, work_sum, to, kernels.for_double);
    else
      run_backward<float>(call, work_grad, work_out, work_sum, to, kernels.for_float);
  }
  const ScalarType type = query.scalar_type();
  return {in_dtype(to.query, type), in_dtype(to.key, type), in_dtype(to.value, type)};
}

}  // namespace

STABLE_TORCH_LIBRARY_IMPL(vis_projects, CPU, m) {
  m.impl("st_attention", TORCH_BOX(&st_attention));
  m.impl("st_attention_backward", TORCH_BOX(&st_attention_backward));
}
