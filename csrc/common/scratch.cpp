// Buffers of a thread, see scratch.h.
#include "common/scratch.h"

#include <cstdlib>
#include <new>

namespace vis {

namespace {

struct Buffer {
  void* data = nullptr;
  size_t size = 0;
  ~Buffer() { std::free(data); }
};

}  // namespace

void* scratch(size_t bytes, int slot) {
  thread_local Buffer buffers[8];
  Buffer& buffer = buffers[slot];
  if (buffer.size < bytes) {
    std::free(buffer.data);
    buffer = {};
    const size_t rounded = (bytes + bytes / 4 + 63) / 64 * 64;
    buffer.data = std::aligned_alloc(64, rounded);
    if (buffer.data == nullptr) throw std::bad_alloc();
    buffer.size = rounded;
  }
  return buffer.data;
}

}  // namespace vis
