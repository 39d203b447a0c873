// CPU registration of the run-length ops on torch's stable ABI.
#include <torch/csrc/stable/library.h>
#include <torch/csrc/stable/ops.h>
#include <torch/csrc/stable/tensor.h>

#include <algorithm>
#include <atomic>
#include <cstring>
#include <string>
#include <tuple>
#include <vector>

#include "masks.h"
#include "tables.h"

namespace {

using torch::headeronly::ScalarType;
using torch::stable::Tensor;
using vis::rle::Mask;
using vis::rle::MaskReader;
using vis::rle::MaskRow;
using vis::rle::MaskTable;

std::tuple<Tensor, Tensor> rle_encode(const Tensor& masks) {
  STD_TORCH_CHECK(masks.dim() == 3, "rle_encode: masks must be (N, H, W), got ", masks.dim(), " dimensions");
  const ScalarType type = masks.scalar_type();
  STD_TORCH_CHECK(type == ScalarType::Byte || type == ScalarType::Bool, "rle_encode: masks must be uint8 or bool");
  STD_TORCH_CHECK(masks.is_contiguous(), "rle_encode: masks must be contiguous");
  const int64_t count = masks.size(0), height = masks.size(1), width = masks.size(2);
  STD_TORCH_CHECK(width == 0 || height <= vis::rle::kMaxPixels / width, "rle_encode: masks of ", height, " x ", width,
                  " pixels are too large");
  const uint8_t* data = static_cast<const uint8_t*>(masks.data_ptr());

  std::vector<std::string> texts(count);
  torch::stable::parallel_for(0, count, 1, [&](int64_t begin, int64_t end) {
    vis::rle::MaskWriter writer;
    for (int64_t n = begin; n < end; ++n) writer.write(data + n * height * width, height, width, texts[n]);
  });

  Tensor offsets = torch::stable::new_empty(masks, {count + 1}, ScalarType::Long);
  int64_t* offset = offsets.mutable_data_ptr<int64_t>();
  offset[0] = 0;
  for (int64_t n = 0; n < count; ++n) offset[n + 1] = offset[n] + static_cast<int64_t>(texts[n].size());
  Tensor bytes = torch::stable::new_empty(masks, {offset[count]}, ScalarType::Byte);
  uint8_t* out = bytes.mutable_data_ptr<uint8_t>();
  for (int64_t n = 0; n < count; ++n) std::memcpy(out + offset[n], texts[n].data(), texts[n].size());
  return {bytes, offsets};
}

// Calls use(k, mask) for every mask of a table, on several threads.
template <class Use>
void for_each_mask(const MaskTable& table, const char* op, const Use& use) {
  std::atomic<int64_t> broken{table.count};
  torch::stable::parallel_for(0, table.count, 8, [&](int64_t begin, int64_t end) {
    MaskReader reader = table.reader();
    Mask mask;
    for (int64_t k = begin; k < end; ++k) {
      if (reader.read(table.rows[k], mask)) {
        use(k, mask);
      } else {
        for (int64_t first = broken; k < first && !broken.compare_exchange_weak(first, k);) {
        }
        return;
      }
    }
  });
  STD_TORCH_CHECK(broken == table.count, op, ": the runs of mask ", broken.load(),
                  " are broken or do not cover its size");
}

void check_one_size(const MaskTable& table, const MaskRow& size, const char* op) {
  for (int64_t k = 0; k < table.count; ++k) {
    STD_TORCH_CHECK(table.rows[k].same_size(size), op, ": mask ", k, " is ", table.rows[k].height, " x ",
                    table.rows[k].width, ", another one ", size.height, " x ", size.width);
  }
}

Tensor rle_decode(const Tensor& buffer, const Tensor& rows) {
  const MaskTable table(buffer, rows, "rle_decode");
  const MaskRow size = table.count > 0 ? table.rows[0] : MaskRow{};
  check_one_size(table, size, "rle_decode");
  STD_TORCH_CHECK(size.height >= 0 && size.width >= 0 &&
                      (size.width == 0 || size.height <= vis::rle::kMaxPixels / size.width),
                  "rle_decode: ", size.height, " x ", size.width, " is no size of a mask");
  Tensor dense = torch::stable::new_zeros(buffer, {table.count, size.height, size.width}, ScalarType::Bool);
  uint8_t* out = static_cast<uint8_t*>(dense.mutable_data_ptr());
  for_each_mask(table, "rle_decode", [&](int64_t k, const Mask& mask) {
    vis::rle::fill_dense(mask, size.height, size.width, out + k * size.height * size.width);
  });
  return dense;
}

Tensor rle_area(const Tensor& buffer, const Tensor& rows) {
  const MaskTable table(buffer, rows, "rle_area");
  Tensor areas = torch::stable::new_empty(rows, {table.count}, ScalarType::Long);
  int64_t* out = areas.mutable_data_ptr<int64_t>();
  for_each_mask(table, "rle_area", [&](int64_t k, const Mask& mask) { out[k] = mask.area(); });
  return areas;
}

Tensor rle_boxes(const Tensor& buffer, const Tensor& rows) {
  const MaskTable table(buffer, rows, "rle_boxes");
  Tensor boxes = torch::stable::new_zeros(rows, {table.count, 4}, ScalarType::Long);
  int64_t* out = boxes.mutable_data_ptr<int64_t>();
  for_each_mask(table, "rle_boxes", [&](int64_t k, const Mask& mask) {
    int64_t bounds[4];
    if (!mask.box(table.rows[k].height, bounds)) return;
    for (int side = 0; side < 4; ++side) out[4 * k + side] = bounds[side] + side / 2;  // exclusive ends
  });
  return boxes;
}

// Run ends and areas of all masks of a table.
struct DecodedTable {
  std::vector<Mask> masks;
  std::vector<int64_t> areas;

  DecodedTable(const MaskTable& table, const char* op) : masks(table.count), areas(table.count) {
    for_each_mask(table, op, [&](int64_t k, const Mask& mask) {
      masks[k].ends.assign(mask.ends.begin(), mask.ends.begin() + mask.runs);
      masks[k].runs = mask.runs;
      areas[k] = mask.area();
    });
  }
};

Tensor rle_iou(const Tensor& a_buffer, const Tensor& a_rows, const Tensor& b_buffer, const Tensor& b_rows) {
  const MaskTable a_table(a_buffer, a_rows, "rle_iou"), b_table(b_buffer, b_rows, "rle_iou");
  Tensor ious = torch::stable::new_zeros(a_rows, {a_table.count, b_table.count}, ScalarType::Double);
  if (a_table.count == 0 || b_table.count == 0) return ious;
  check_one_size(a_table, a_table.rows[0], "rle_iou");
  check_one_size(b_table, a_table.rows[0], "rle_iou");
  const DecodedTable a(a_table, "rle_iou"), b(b_table, "rle_iou");
  const vis::rle::Kernels& kernels = VIS_KERNELS(vis::rle, kernels)();
  double* out = ious.mutable_data_ptr<double>();
  const int64_t columns = b_table.count;
  torch::stable::parallel_for(0, a_table.count * columns, 16, [&](int64_t begin, int64_t end) {
    for (int64_t pair = begin; pair < end; ++pair) {
      const Mask &x = a.masks[pair / columns], &y = b.masks[pair % columns];
      const int64_t common = kernels.common_pixels(x.ends.data(), x.runs, y.ends.data(), y.runs);
      const int64_t either = a.areas[pair / columns] + b.areas[pair % columns] - common;
      if (either > 0) out[pair] = static_cast<double>(common) / static_cast<double>(either);
    }
  });
  return ious;
}

}  // namespace

STABLE_TORCH_LIBRARY_IMPL(vis_projects, CPU, m) {
  m.impl("rle_encode", TORCH_BOX(&rle_encode));
  m.impl("rle_decode", TORCH_BOX(&rle_decode));
  m.impl("rle_area", TORCH_BOX(&rle_area));
  m.impl("rle_boxes", TORCH_BOX(&rle_boxes));
  m.impl("rle_iou", TORCH_BOX(&rle_iou));
}
