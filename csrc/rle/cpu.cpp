// CPU registration of vis_projects::rle_encode on torch's stable ABI.
#include <torch/csrc/stable/library.h>
#include <torch/csrc/stable/ops.h>
#include <torch/csrc/stable/tensor.h>

#include <cstring>
#include <string>
#include <tuple>
#include <vector>

#include "kernel.h"

namespace {

using torch::stable::Tensor;

std::tuple<Tensor, Tensor> rle_encode(const Tensor& masks) {
  STD_TORCH_CHECK(masks.dim() == 3, "rle_encode: masks must be (N, H, W), got ", masks.dim(), " dimensions");
  STD_TORCH_CHECK(masks.scalar_type() == torch::headeronly::ScalarType::Byte, "rle_encode: masks must be uint8");
  STD_TORCH_CHECK(masks.is_contiguous(), "rle_encode: masks must be contiguous");
  const int64_t count = masks.size(0);
  const size_t height = masks.size(1);
  const size_t width = masks.size(2);
  const uint8_t* data = static_cast<const uint8_t*>(masks.data_ptr());

  std::vector<std::string> strings(count);
  torch::stable::parallel_for(0, count, 1, [&](int64_t begin, int64_t end) {
    std::vector<uint8_t> scratch;
    std::vector<uint32_t> runs;
    for (int64_t n = begin; n < end; ++n) {
      runs.clear();
      vis::rle::mask_to_runs(data + n * height * width, height, width, scratch, runs);
      vis::rle::runs_to_string(runs, strings[n]);
    }
  });

  Tensor offsets = torch::stable::new_empty(masks, {count + 1}, torch::headeronly::ScalarType::Long);
  int64_t* offset = static_cast<int64_t*>(offsets.data_ptr());
  offset[0] = 0;
  for (int64_t n = 0; n < count; ++n) offset[n + 1] = offset[n] + static_cast<int64_t>(strings[n].size());
  Tensor bytes = torch::stable::new_empty(masks, {offset[count]});
  uint8_t* out = static_cast<uint8_t*>(bytes.data_ptr());
  for (int64_t n = 0; n < count; ++n) {
    if (!strings[n].empty()) std::memcpy(out + offset[n], strings[n].data(), strings[n].size());
  }
  return {bytes, offsets};
}

}  // namespace

STABLE_TORCH_LIBRARY_IMPL(vis_projects, CPU, m) { m.impl("rle_encode", TORCH_BOX(&rle_encode)); }
