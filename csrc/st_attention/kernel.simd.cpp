// CPU kernels of the spatial-temporal attention: forward.h and backward.h, compiled once per instruction level.
#include "kernel.h"

#include "backward.h"
#include "forward.h"

namespace vis::attention {

namespace {

template <class T>
constexpr KernelsOf<T> all_kernels() {
  return {kColumn<T>, forward<T>, prepare<T>, accumulate<T>, finish<T>};
}

}  // namespace

const Kernels& VIS_LEVELLED(kernels)() {
  static constexpr Kernels table{all_kernels<float>(), all_kernels<double>()};
  return table;
}

}  // namespace vis::attention
