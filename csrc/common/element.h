// Element types of the tensors that the CUDA kernels take. No torch headers here.
#pragma once

namespace vis {

enum class Element { kFloat, kDouble, kHalf, kBFloat16 };

}  // namespace vis
