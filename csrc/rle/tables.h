// Mask tables as tensors, for registration files.
#pragma once

#include <torch/csrc/stable/ops.h>
#include <torch/csrc/stable/tensor.h>

#include <cstring>

#include "masks.h"

namespace vis::rle {

// A buffer of bytes and the masks in it; rows are checked when they are read, not here.
struct MaskTable {
  torch::stable::Tensor buffer_tensor, rows_tensor;  // keep the memory alive
  const uint8_t* buffer;
  int64_t buffer_size;
  const MaskRow* rows;
  int64_t count;

  MaskTable(const torch::stable::Tensor& buffer_, const torch::stable::Tensor& rows_, const char* op)
      : buffer_tensor(torch::stable::contiguous(buffer_)), rows_tensor(torch::stable::contiguous(rows_)) {
    using torch::headeronly::ScalarType;
    STD_TORCH_CHECK(buffer_.scalar_type() == ScalarType::Byte && buffer_.dim() == 1, op,
                    ": buffer must be uint8 (bytes,)");
    STD_TORCH_CHECK(rows_.scalar_type() == ScalarType::Long && rows_.dim() == 2 && rows_.size(1) == kMaskColumns, op,
                    ": rows must be int64 (N, 5)");
    static_assert(sizeof(MaskRow) == kMaskColumns * sizeof(int64_t));
    buffer = buffer_tensor.const_data_ptr<uint8_t>();
    buffer_size = buffer_.size(0);
    rows = reinterpret_cast<const MaskRow*>(rows_tensor.const_data_ptr<int64_t>());
    count = rows_.size(0);
  }

  MaskReader reader() const { return MaskReader(buffer, buffer_size); }
};

}  // namespace vis::rle
