// Working memory of CPU kernels that stays with its thread, so that a call pays for no fresh pages.
#pragma once

#include <cstddef>

namespace vis {

// At least `bytes` of this thread, 64-byte aligned, contents undefined. Each slot (0 to 7) is one buffer that grows and
// stays until the thread ends; a second call for a slot may move it. Returns nullptr for 0 bytes; throws
// std::bad_alloc.
void* scratch(size_t bytes, int slot);

}  // namespace vis
